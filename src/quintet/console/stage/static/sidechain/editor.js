// One text that many write at once: a textarea bound to a shared document, others' cursors over it, whether it is
// saved, taking one's own last change back, and how it was before.

import { say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { bindTextarea } from "../text/index.js";
import { Carets } from "./carets.js";
import { $, colour, fromTemplate, initial, make, nameOf } from "./drawing.js";
import { History } from "./history.js";

const MOST_UNDONE = 200; // own changes that are remembered here

export class Editor {
  #doc = null;
  #ending = []; // what ends the listening to the document
  #done = []; // ids of own operations, the last one last
  #undone = []; // ids of what took them back

  /** `box` is filled; `userOf(id)` knows people. */
  constructor(box, { label, userOf }) {
    box.append(fromTemplate("writing-template"));
    Object.assign(this, { box, userOf });
    this.area = $("textarea", box);
    this.area.id = `${box.id}-text`;
    Object.assign($("label", box), { htmlFor: this.area.id, textContent: label });
    this.carets = new Carets($(".paper", box), (id) => nameOf(userOf(id)));
    this.history = new History(box, { userOf, restore: (text) => this.#restore(text) });
    $(".undo", box).onclick = () => this.#turn(this.#done, this.#undone);
    $(".redo", box).onclick = () => this.#turn(this.#undone, this.#done);
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("input", () => this.carets.follow());
  }

  /** Show this document of a channel from now on; `placeholder` stands where nothing is written. */
  async show(texts, id, { canWrite, placeholder }) {
    this.close();
    const turn = (this.turn = {});
    this.#say("reading");
    this.area.readOnly = true;
    this.area.placeholder = placeholder;
    let doc;
    try {
      doc = await texts.open(id);
    } catch (problem) {
      if (turn === this.turn) this.#say("refused", problem.code === "not_found" ? "not here" : "not for you");
      return;
    }
    if (turn !== this.turn) return;
    this.#doc = doc;
    this.area.readOnly = !canWrite;
    const unbind = bindTextarea(doc, this.area);
    this.#ending = [
      typeof unbind === "function" ? unbind : () => unbind.close?.(),
      doc.on("change", () => (this.carets.follow(), this.#tell())),
      doc.on("cursors", () => this.#drawHands()),
      doc.on("state", () => this.#tell()),
      doc.on("saved", () => this.#tell()),
      doc.on("acknowledged", ({ op_id: opId }) => this.#remember(opId)),
      doc.on("lost", ({ text }) => this.#keepLost(text)),
    ];
    this.history.of(doc, canWrite);
    this.carets.follow();
    this.#drawHands();
    this.#tell();
  }

  close() {
    this.turn = null;
    for (const end of this.#ending) end();
    this.#ending = [];
    this.#doc?.close();
    this.#doc = null;
    this.#done = [];
    this.#undone = [];
    this.history.of(null, false);
    this.area.value = "";
    this.carets.draw([]);
    this.carets.follow();
    $(".hands", this.box).replaceChildren();
    $(".lost", this.box)?.remove();
    this.#showStacks();
  }

  // --- showing

  #tell() {
    const { state, isSaved } = this.#doc;
    this.#showStacks();
    if (state === "refused") {
      this.area.readOnly = true;
      return this.#say("refused", "not for you (any more)");
    }
    if (state === "live") return isSaved ? this.#say("saved") : this.#say("sending");
    if (state === "offline") return this.#say("offline", isSaved ? "offline" : "offline, kept here");
    return this.#say("catching", "catching up");
  }

  #say(state, words = state) {
    const told = $(".writing-state", this.box);
    if (told.textContent === words) return;
    told.textContent = words;
    told.dataset.state = state;
  }

  #drawHands() {
    const cursors = this.#doc.cursors;
    this.carets.draw(cursors);
    const ids = [...new Set(cursors.map((one) => one.user_id))];
    $(".hands", this.box).replaceChildren(
      ...ids.map((id) => {
        const name = nameOf(this.userOf(id));
        return colour(make("li", { title: `${name} is here` }, make("span", { textContent: initial(name), ariaHidden: "true" }), make("span", { className: "unseen", textContent: name })), id);
      }),
    );
  }

  /** What could not be brought together with what is there now stays where it can be copied. */
  #keepLost(text) {
    $(".lost", this.box)?.remove();
    const copy = make("textarea", { value: text, readOnly: true, ariaLabel: "The text as you had it" });
    this.box.append(make("div", { className: "note lost", role: "alert" }, make("p", { textContent: "What you wrote while away could not be brought together with what is here now. This is how you had it:" }), copy));
  }

  // --- doing

  #remember(opId) {
    if (this.area.readOnly) return;
    this.#done.push(opId);
    if (this.#done.length > MOST_UNDONE) this.#done.shift();
    this.#undone = [];
    this.#showStacks();
  }

  #showStacks() {
    const isLive = this.#doc?.state === "live";
    $(".undo", this.box).disabled = !isLive || !this.#done.length;
    $(".redo", this.box).disabled = !isLive || !this.#undone.length;
  }

  /** Take back the last of `from`; what does it goes onto `to`. */
  async #turn(from, to) {
    const doc = this.#doc;
    if (doc?.state !== "live") return;
    await doc.saved();
    const opId = from.pop();
    if (!opId || doc !== this.#doc) return;
    this.#showStacks();
    try {
      const answer = await api.post(`/api/v1/documents/${doc.id}/undo`, { op_id: opId });
      to.push(answer.op_id);
    } catch (problem) {
      if (problem.passes) from.push(opId);
      sayProblem(problem);
    }
    this.#showStacks();
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const isRedo = key === "y" || (key === "z" && event.shiftKey);
    if (!isRedo && key !== "z") return;
    event.preventDefault(); // the browser's own would take others' words back, too
    if (isRedo) this.#turn(this.#undone, this.#done);
    else this.#turn(this.#done, this.#undone);
  }

  #restore(text) {
    const { start, end, text: put } = this.history.difference(this.#doc.text, text);
    if (start === end && !put) return say("It is so already.");
    this.#doc.replace(start, end, put);
    say("Written so again.");
  }
}
