// What one client knows of a document, without any network: the text as its user sees it, and what of it the server
// does not have yet.
//
// Invariant: the server's text at `rev`, then what is under way, then the buffer, is `text`. One operation is under way
// at a time; what is typed meanwhile is composed into one buffer behind it. What others did is transformed over both,
// one by one, and both over it: ours will be committed later.

import { apply, compose, split, transform, transformPosition } from "./operation.js";

const MOST_PARTS = 900; // the server takes 1,000
const MOST_BYTES = 15 * 1024; // and 16 KiB inserted at once; a message has at most 64 KiB
const KEPT_OPERATIONS = 200; // for cursors that were told of at an earlier rev

export class Replica {
  /** @type {{seq: number, base_rev: number, said: Operation, op: Operation} | null} `said` is what was sent, `op` the
   * same as it reads at `rev`. */
  underWay = null;
  /** @type {Operation | null} */
  buffer = null;
  #seq = 0;
  #recent = [];

  constructor({ epoch, rev, text, session }) {
    Object.assign(this, { epoch, rev, text, session });
  }

  /** Whether the server lacks something. */
  get isPending() {
    return this.underWay !== null || this.buffer !== null;
  }

  /** The user did this. */
  edit(op) {
    this.text = apply(this.text, op);
    this.buffer = this.buffer ? compose(this.buffer, op) : op;
    if (!this.buffer.length) this.buffer = null;
  }

  /** What is to be sent now: what is under way, the very same again, or else the buffer, or as much as may be sent. */
  next() {
    if (!this.underWay && this.buffer) {
      const [first, rest] = split(this.buffer, MOST_PARTS, MOST_BYTES);
      this.underWay = { seq: this.#seq + 1, base_rev: this.rev, said: first, op: first };
      this.buffer = rest.length ? rest : null;
    }
    return this.underWay;
  }

  /**
   * The server refused what is under way without using up its number: say it anew, as it reads now; in a new session
   * where the old one is not known any more.
   */
  rebase(session = null) {
    if (session !== null) {
      this.session = session;
      this.#seq = 0;
    }
    if (!this.underWay) return;
    const { op } = this.underWay;
    this.underWay = op.length ? { seq: this.#seq + 1, base_rev: this.rev, said: op, op } : null;
  }

  /** The server has what is under way, as its next rev. */
  confirm() {
    this.rev += 1;
    this.#seq = this.underWay.seq;
    this.#keep(this.underWay.op);
    this.underWay = null;
  }

  /** Somebody else's operation, as the next rev. @returns {Operation} what it does to the text seen here */
  hear(op) {
    this.rev += 1;
    this.#keep(op);
    if (this.underWay) {
      const mine = this.underWay.op;
      this.underWay.op = transform(mine, op, true);
      op = transform(op, mine, false);
    }
    if (this.buffer) {
      const mine = this.buffer;
      this.buffer = transform(mine, op, true);
      op = transform(op, mine, false);
      if (!this.buffer.length) this.buffer = null;
    }
    this.text = apply(this.text, op);
    return op;
  }

  /** What is not at the server yet, in the order in which it was done. */
  get pending() {
    return [this.underWay?.op, this.buffer].filter(Boolean);
  }

  /** Where a position told of at `rev` is in the text seen here; null where it is too old to tell. */
  placeOf(position, rev) {
    const since = this.#recent.filter((one) => one.rev > rev);
    if (since.length < this.rev - rev) return null;
    const passed = [...since.map((one) => one.op), ...this.pending];
    return Math.min(passed.reduce((at, op) => transformPosition(at, op), position), this.text.length);
  }

  #keep(op) {
    this.#recent.push({ rev: this.rev, op });
    if (this.#recent.length > KEPT_OPERATIONS) this.#recent.shift();
  }
}
