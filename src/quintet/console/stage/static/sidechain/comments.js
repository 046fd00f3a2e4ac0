// What is said about a post: read when somebody asks for it, live from then on.

import { sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { ago } from "../shared/words.js";
import { $, make, nameOf, redraw } from "./drawing.js";

const MOST = 20; // that are read at once

/** The comments below one post. */
export class Comments {
  #of = new Map(); // by id
  #next = null;
  #isRead = false;

  /** `box` is the post's `.talking`; `isOwner` is whether it is one's own post. */
  constructor(box, post) {
    Object.assign(this, { box, post });
    this.list = $(".comments", box);
    $(".earlier", box).onclick = () => this.#read(this.#next).catch(sayProblem);
    $("form", box).onsubmit = (event) => {
      event.preventDefault();
      this.#say(event.target).catch(sayProblem);
    };
  }

  async open() {
    this.box.hidden = false;
    $("input", this.box).focus();
    if (!this.#isRead) await this.#read(null);
  }

  close() {
    this.box.hidden = true;
  }

  /** Read anew what is shown: something may have been missed. */
  async reread() {
    this.#isRead = false;
    if (this.box.hidden) return;
    this.#of.clear();
    await this.#read(null);
  }

  take(comment) {
    this.#of.set(comment.id, comment);
    this.#draw();
  }

  drop(id) {
    if (this.#of.delete(id)) this.#draw();
  }

  async #read(cursor) {
    const { items, next_cursor } = await api.get(`/api/v1/posts/${this.post.id}/comments?limit=${MOST}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    for (const one of items) this.#of.set(one.id, one);
    this.#next = next_cursor;
    this.#isRead = true;
    this.#draw();
  }

  async #say(form) {
    const text = form.elements.text.value.trim();
    if (!text) return;
    const comment = await api.post(`/api/v1/posts/${this.post.id}/comments`, { text });
    form.reset();
    this.take(comment);
  }

  #draw() {
    const oldest = [...this.#of.values()].sort((a, b) => (a.id < b.id ? -1 : 1)); // ids are in the order of time
    redraw(this.list, oldest.map((one) => this.#row(one)));
    $(".earlier", this.box).hidden = !this.#next;
  }

  #row(comment) {
    const { id, user, text, created_at: at } = comment;
    const row = make("li", {}, make("strong", { textContent: nameOf(user), dir: "auto" }), " ", make("span", { textContent: text, dir: "auto" }), " ", make("time", { className: "soft", dateTime: at, textContent: ago(at) }));
    row.dataset.comment = id;
    const own = api.user()?.id;
    if (user?.id === own || this.post.user?.id === own) {
      const button = make("button", { type: "button", className: "quiet delete", textContent: "✕", ariaLabel: "Delete this comment" });
      button.onclick = () => api.remove(`/api/v1/comments/${id}`).then(() => this.drop(id), sayProblem);
      button.dataset.key = id;
      row.append(button);
    }
    return row;
  }
}
