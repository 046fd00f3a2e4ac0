// How a text was: a slider over its revs, with who wrote what was new then.

import * as api from "../shared/api.js";
import { folding } from "../shared/folding.js";
import { ago } from "../shared/words.js";
import { operations } from "../text/index.js";
import { $, colour, make, nameOf } from "./drawing.js";

export class History {
  #doc = null;
  #shown = null; // the text that is shown
  difference = operations.difference;

  /** `userOf(id)` knows people, `restore(text)` writes it so again. */
  constructor(box, { userOf, restore }) {
    this.userOf = userOf;
    this.button = $(".past", box);
    this.box = $(".history", box);
    this.paper = $(".paper", box);
    this.slider = $("input", this.box);
    this.slider.setAttribute("aria-label", "How it was: change by change");
    this.button.onclick = () => (this.box.hidden ? this.#open() : this.#close());
    $(".now", this.box).onclick = () => this.#close();
    $(".restore", this.box).onclick = () => {
      restore(this.#shown);
      this.#close();
    };
    const read = folding(() => this.#read(), (problem) => this.#failed(problem), 50);
    this.slider.oninput = read;
  }

  /** From now on the history of this document; of none for null. */
  of(doc, canWrite) {
    this.#doc = doc;
    this.button.disabled = !doc;
    $(".restore", this.box).hidden = !canWrite;
    this.#close();
  }

  #open() {
    const { rev } = this.#doc;
    if (!rev) return this.#tell("Nothing has been written yet.", true);
    Object.assign(this.slider, { min: 0, max: rev, value: rev });
    this.#show(true);
    this.slider.oninput();
    this.slider.focus();
  }

  #close() {
    this.#show(false);
    this.#shown = null;
  }

  #show(isOpen) {
    this.box.hidden = !isOpen;
    this.paper.hidden = isOpen;
    this.button.ariaExpanded = String(isOpen);
  }

  #tell(words) {
    this.#show(true);
    $("p", this.box).textContent = words;
  }

  async #read() {
    const doc = this.#doc;
    const rev = Number(this.slider.value);
    const at = `/api/v1/documents/${doc.id}`;
    const [then, done] = await Promise.all([
      api.get(`${at}/at/${rev}`),
      rev ? api.get(`${at}/operations?from_rev=${rev - 1}&limit=1&unit=utf16`) : { items: [] },
    ]);
    if (doc !== this.#doc || this.box.hidden) return;
    this.#shown = then.content;
    const operation = done.items[0];
    const who = operation && nameOf(this.userOf(operation.user_id));
    $("p", this.box).textContent = operation ? `Change ${rev} of ${this.slider.max}: ${who}, ${ago(new Date(operation.server_timestamp).toISOString())}` : "At the beginning";
    this.slider.ariaValueText = $("p", this.box).textContent;
    $(".then", this.box).replaceChildren(...marked(then.content, operation));
  }

  #failed(problem) {
    if (problem.code !== "history_collected") return this.#tell(`${problem.title} Try again.`);
    this.slider.min = Math.min(Number(this.slider.max), Number(this.slider.value) + 1);
    this.#tell("That far back is not kept any more.");
  }
}

/** The text in pieces, those new in `operation` marked in the colour of who wrote them. */
function marked(text, operation) {
  const pieces = [];
  let at = 0;
  for (const { retain = 0, insert = "" } of operation?.ops ?? []) {
    if (retain) pieces.push(text.slice(at, (at += retain)));
    if (!insert) continue;
    pieces.push(colour(make("ins", { textContent: insert }), operation.user_id));
    at += insert.length;
  }
  return [...pieces, text.slice(at)];
}
