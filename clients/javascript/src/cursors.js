// Where the others are in the text, and where oneself is.
//
// Invariant: every place is one in the text as it is seen here, moved along with each change, whoever made it.

import { transformPosition } from "./operation.js";

export class Cursors {
  #others = new Map();
  #own = null;
  #isTold = true;

  constructor(clientId, changed) {
    Object.assign(this, { clientId, changed });
  }

  get list() {
    return [...this.#others.values()];
  }

  /** Somebody is at a place of the text at `rev`. */
  heard({ client_id, user_id, rev, position, anchor }, replica) {
    const key = client_id ?? user_id;
    if (key === this.clientId) return;
    const at = replica.placeOf(position, rev);
    if (at === null) return;
    this.#others.set(key, { client_id, user_id, position: at, anchor: replica.placeOf(anchor ?? position, rev) });
    this.changed();
  }

  /** The text was changed; whoever wrote is behind what they wrote. */
  move(op, author = this.clientId) {
    const moved = (one, isOwn) => ({
      ...one,
      position: transformPosition(one.position, op, isOwn),
      anchor: transformPosition(one.anchor, op, isOwn),
    });
    for (const [key, one] of this.#others) this.#others.set(key, moved(one, key === author));
    if (this.#own) this.#own = moved(this.#own, author === this.clientId);
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

  /** The line is gone: nobody knows where anybody is. */
  clear() {
    const were = this.#others.size;
    this.#others.clear();
    this.#isTold = this.#own === null;
    if (were) this.changed();
  }
}
