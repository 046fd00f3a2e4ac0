// A document as an application holds it: reading it, writing into it, hearing what others write.
//
// Invariant: what is written here is in `text` at once, and never waits for the server.

import { Cursors } from "./cursors.js";
import { Emitter } from "./emitter.js";
import { cutsPair, difference, fromJson, operation, toJson } from "./operation.js";
import { Replica } from "./replica.js";
import { Sync } from "./sync.js";

const CURSOR_PACE_MS = 100;

/**
 * Tells `change` ({op, delta, text, source: "local" | "remote" | "server", userId?}), `saved`, `state`, `cursors`,
 * `acknowledged` ({op_id, rev}: the server has one's own next operation; by its id it can be taken back),
 * `lost` ({why, text, pending}: what was written here and could not be brought together with the server's text) and
 * `diverged` (the text here was wrong, and is read again).
 */
export class SharedDocument extends Emitter {
  #client;
  #replica = null;
  #sync;
  #cursors;
  #isCursorPaced = false;
  #savers = [];
  #settle;

  constructor(client, id) {
    super();
    this.#client = client;
    this.id = id;
    /** @type {"loading" | "live" | "offline" | "refused" | "closed"} */
    this.state = "loading";
    this.#sync = new Sync(client, id, this);
    this.#cursors = new Cursors(() => this.emit("cursors", this.cursors));
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ready.catch(() => {}); // whoever opened it is told; nobody else needs to be
  }

  get text() {
    return this.#replica?.text ?? "";
  }

  get rev() {
    return this.#replica?.rev ?? 0;
  }

  /** Whether the server has everything that was written here. */
  get isSaved() {
    return !this.#replica?.isPending;
  }

  /** Where others are: `[{user_id, connection_id, position, anchor}]`, in the text as it is here. */
  get cursors() {
    return this.#cursors.list;
  }

  /** Insert text; positions count UTF-16 units, as JavaScript does. */
  insert(position, text) {
    this.replace(position, position, text);
  }

  delete(position, count) {
    this.replace(position, position + count, "");
  }

  replace(start, end, text) {
    if (!(start >= 0 && start <= end)) throw new RangeError(`${start} to ${end} is no part of a text`);
    this.apply(operation(start, text, start - end));
  }

  /** Do a list of `{retain}`, `{insert}`, `{delete}` as one change. */
  applyDelta(delta) {
    this.apply(fromJson(delta));
  }

  /** Do an operation (operation.js) as one change; throws RangeError for one that cannot be. */
  apply(op) {
    if (!this.#replica || this.state === "refused" || this.state === "closed") throw new Error(`it is ${this.state}`);
    checkWritable(op, this.text);
    if (!op.length) return;
    this.#replica.edit(op);
    this.#cursors.move(op);
    this.#changed(op, "local");
    this.#sync.flush();
  }

  /** Show others where one is; `anchor` is the other end of what is selected. */
  setCursor(position, anchor = position) {
    this.#cursors.set({ position, anchor });
    this.#tellCursor();
  }

  /** Resolves once the server has everything that was written up to now. */
  saved() {
    return this.isSaved ? Promise.resolve() : new Promise((resolve) => this.#savers.push(resolve));
  }

  close() {
    if (this.state === "closed") return;
    this.#sync.leave();
    this.#sync.end("closed");
    this.#client.forget(this.id);
    this.#settle.reject(new Error("it is closed"));
  }

  // What the connection tells.

  opened() {
    if (this.state !== "refused") this.#sync.start();
  }

  lost() {
    this.#sync.pause();
    this.#cursors.clear();
    if (this.#replica && this.state !== "refused") this.become("offline");
  }

  heard(message) {
    this.#sync.heard(message);
  }

  isAnswered(id) {
    return this.#sync.isAnswered(id);
  }

  // What staying the same tells.

  get replica() {
    return this.#replica;
  }

  /** The server's text, for the first time or again; what was pending before is lost. */
  take({ epoch, rev, content }, session, why) {
    const before = this.#replica;
    this.#replica = new Replica({ epoch, rev, text: content, session });
    this.#cursors.clear();
    if (before?.isPending) this.emit("lost", { why, text: before.text, pending: before.pending.map(toJson) });
    const { start, end, text } = difference(before?.text ?? "", content);
    this.#changed(operation(start, start - end, text), "server");
    this.savedAll();
    this.#settle.resolve(this);
  }

  /** Somebody else changed the text that is seen here. */
  changed(op, userId) {
    this.#cursors.move(op, userId);
    this.#changed(op, "remote", userId);
  }

  /** The server may have everything now. */
  savedAll() {
    if (!this.isSaved) return;
    for (const saved of this.#savers.splice(0)) saved();
    this.emit("saved");
    this.#tellCursor();
  }

  placed(cursor) {
    if (this.#replica) this.#cursors.heard(cursor, this.#replica);
  }

  /** Somebody came, who does not know yet where one is. */
  joined() {
    this.#cursors.tellAgain();
    this.#tellCursor();
  }

  become(state, why) {
    if (state === this.state) return;
    Object.assign(this, { state, why });
    this.emit("state", state);
    if (state === "live") this.#tellCursor();
    if (state === "refused") this.#settle.reject(Object.assign(new Error(`${this.id}: ${why}`), { code: why }));
  }

  #changed(op, source, userId) {
    if (op.length) this.emit("change", { op, delta: toJson(op), text: this.text, source, userId });
  }

  #tellCursor() {
    if (this.state !== "live" || !this.isSaved || this.#isCursorPaced) return; // told as soon as all this is over
    const place = this.#cursors.toTell();
    if (!place) return;
    this.#sync.say("cursor", place);
    this.#isCursorPaced = true;
    this.#sync.later(CURSOR_PACE_MS, () => {
      this.#isCursorPaced = false;
      this.#tellCursor();
    });
  }
}

function checkWritable(op, text) {
  let at = 0;
  for (const part of op) {
    if (typeof part !== "string") at += Math.abs(part);
    else if (part.includes("\0") || /\p{Surrogate}/u.test(part)) throw new RangeError("no NUL, no half of an emoji");
    if (!Number.isInteger(at) || at > text.length || cutsPair(text, at)) throw new RangeError(`${at} is no position in this text`);
  }
}
