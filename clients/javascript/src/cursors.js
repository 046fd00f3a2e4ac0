// Where the others are in the text, and where oneself is.
//
// Invariant: every place is one in the text as it is seen here, moved along with each change, whoever made it.

import { transformPosition } from "./operation.js";

export class Cursors {
  #others = new Map();
  #own = null;
  #isTold = true;

  constructor(changed) {
    this.changed = changed;
  }

  get list() {
    return [...this.#others.values()];
  }

  /** Somebody is at a place of the text at `rev`. */
  heard({ connection_id, user_id, rev, unit, position, anchor }, replica) {
    const placeOf = (place) => replica.placeOf(unit === "utf16" ? place : inUtf16(place, replica.text), rev);
    const at = placeOf(position);
    if (at === null) return;
    this.#others.set(connection_id ?? user_id, { user_id, connection_id, position: at, anchor: placeOf(anchor ?? position) });
    this.changed();
  }

  /** The text was changed, by oneself or by that user; whoever wrote is behind what they wrote. */
  move(op, userId = null) {
    const moved = (one, isOwn) => ({
      ...one,
      position: transformPosition(one.position, op, isOwn),
      anchor: transformPosition(one.anchor, op, isOwn),
    });
    for (const [key, one] of this.#others) this.#others.set(key, moved(one, userId !== null && one.user_id === userId));
    if (this.#own) this.#own = moved(this.#own, userId === null);
    if (this.#others.size) this.changed();
  }

  /** Oneself is here now. */
  set(place) {
    const isNews = this.#own?.position !== place.position || this.#own?.anchor !== place.anchor;
    this.#own = place;
    if (isNews) this.#isTold = false;
  }

  /** One's own place, where the others do not know it; from now on they do. */
  toTell() {
    if (this.#isTold) return null;
    this.#isTold = true;
    return this.#own;
  }

  /** Not everybody knows where one is. */
  tellAgain() {
    this.#isTold = this.#own === null;
  }

  /** The line is gone: nobody knows where anybody is. */
  clear() {
    const were = this.#others.size;
    this.#others.clear();
    this.tellAgain();
    if (were) this.changed();
  }
}

/** A place in code points, in UTF-16 units; right where the text before it has not changed meanwhile. */
function inUtf16(place, text) {
  let at = 0;
  for (let passed = 0; passed < place && at < text.length; passed += 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}
