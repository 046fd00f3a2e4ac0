// Where others are in a text: their cursors and selections, drawn over a textarea.
//
// The mirror holds the same text, wrapped the same way; it also lends the textarea its height, so that nothing ever
// scrolls inside and what is measured in the one is true in the other.

import { colour, make } from "./drawing.js";

const FLAG_PX = 14; // what a flag is high
const keyOf = (cursor) => cursor.client_id ?? cursor.user_id;

export class Carets {
  #carets = new Map(); // by client, or by user where no client is named: {box, line, flag, marks, stirred}
  #cursors = [];

  /** `nameOf(userId)` is what the flag says. */
  constructor(paper, nameOf) {
    this.nameOf = nameOf;
    this.area = paper.querySelector("textarea");
    this.mirror = paper.querySelector(".mirror");
    this.layer = paper.querySelector(".carets");
    new ResizeObserver(() => this.#place()).observe(this.mirror);
  }

  /** The textarea holds another text now. */
  follow() {
    // The last line counts, even while it is empty; and behind every cursor stands something to measure.
    this.mirror.textContent = `${this.area.value}\u200b`;
    this.#place();
  }

  /** Show these and no others: `[{user_id, client_id, position, anchor}]`. */
  draw(cursors) {
    for (const one of cursors) {
      const before = this.#cursors.find((other) => keyOf(other) === keyOf(one));
      if (!before || before.position !== one.position) this.#take(one).stirred = true;
    }
    this.#cursors = cursors;
    for (const [id, caret] of this.#carets) {
      if (cursors.some((one) => keyOf(one) === id)) continue;
      caret.box.remove();
      this.#carets.delete(id);
    }
    this.#place();
  }

  #take(cursor) {
    const { user_id: userId } = cursor;
    const id = keyOf(cursor);
    let caret = this.#carets.get(id);
    if (!caret) {
      const flag = make("span", { className: "flag" });
      const line = make("div", { className: "caret" }, flag);
      const marks = make("div");
      const box = colour(make("div", {}, marks, line), userId);
      box.dataset.user = userId;
      caret = { box, line, flag, marks };
      this.#carets.set(id, caret);
      this.layer.append(box);
    }
    caret.flag.textContent = this.nameOf(userId);
    return caret;
  }

  #place() {
    const text = this.mirror.firstChild;
    if (!text) return;
    const origin = this.layer.getBoundingClientRect();
    const most = text.length - 1;
    const boxesOf = (from, to) => {
      const range = document.createRange();
      range.setStart(text, from);
      range.setEnd(text, to);
      return [...range.getClientRects()];
    };
    for (const cursor of this.#cursors) {
      const caret = this.#take(cursor);
      const { line, flag, marks } = caret;
      const position = Math.min(cursor.position, most);
      const anchor = Math.min(cursor.anchor ?? position, most);
      const [at] = boxesOf(position, position + 1);
      line.hidden = !at;
      if (!at) continue;
      const [left, top] = [at.left - origin.left, at.top - origin.top];
      line.style.transform = `translate(${left}px, ${top}px)`;
      line.style.height = `${at.height}px`;
      line.classList.toggle("low", top < FLAG_PX); // no room above the first line
      line.classList.toggle("far", left > origin.width * 0.7);
      const selected = position === anchor ? [] : boxesOf(Math.min(position, anchor), Math.max(position, anchor));
      marks.replaceChildren(
        ...selected.map((one) => {
          const mark = make("i");
          mark.style.transform = `translate(${one.left - origin.left}px, ${one.top - origin.top}px)`;
          mark.style.width = `${one.width}px`;
          mark.style.height = `${one.height}px`;
          return mark;
        }),
      );
      if (!caret.stirred) continue;
      caret.stirred = false;
      for (const fading of flag.getAnimations()) fading.cancel(), fading.play(); // who moves wears their name for a while
    }
  }
}
