// Staying the same as everybody else's text: the client's half of the protocol.
//
// Invariant: each rev is applied once and in order, whether it comes live, in a replay, as the ack of one's own, or
// from the history; one's own operation is known by its session and number (in the history by its client_id).

import { fromJson, toJson } from "./operation.js";

const PACE_MS = 40; // a connection may say 50 things a second
const AGAIN_MS = 1_000;
const HISTORY_PAGE = 1_000;
const MOST_REFUSALS = 5;
const UTF16 = { unit: "utf16" };

export class Sync {
  #client;
  #id;
  #doc;
  #clientId; // by which one's own operations are known in the history
  #turn = 0; // what was begun in an earlier one is not finished any more
  #asked = null; // the id of the last `subscribe`, until it is answered
  #said = null; // the id of the last `operation`
  #isLive = false;
  #isPaced = false;
  #refusals = 0; // of what is under way, one after the other
  #timers = new Set();

  constructor(client, id, doc) {
    this.#client = client;
    this.#id = id;
    this.#doc = doc;
    this.#clientId = this.#draw(2 ** 31);
  }

  /** Read the text if there is none yet, then hear what happens from there on. */
  async start() {
    const turn = this.#begin();
    if (!this.#doc.replica) {
      const read = await this.#read(turn);
      if (!read) return;
      this.#doc.take(read, this.#newSession());
    }
    this.#subscribe();
  }

  /** The line is gone. */
  pause() {
    this.#begin();
  }

  leave() {
    this.#client.send({ type: "unsubscribe", room: `document:${this.#id}` });
  }

  end(state, why) {
    this.#begin();
    for (const timer of this.#timers) this.#client.surroundings.clearTimeout(timer);
    this.#timers.clear();
    this.#doc.become(state, why);
  }

  isAnswered(id) {
    return id === this.#asked || id === this.#said;
  }

  heard(message) {
    const told = { ...message.payload, ...message };
    switch (told.type) {
      case "operation":
      case "operation_ack":
        this.#heardOperation(told);
        break;
      case "subscribed":
        if (told.id === this.#asked) this.#subscribed(told);
        break;
      case "reset":
        if (this.#asked !== null || this.#isLive) this.#catchUp(told.epoch, "reset");
        break;
      case "cursor":
        this.#doc.placed(told);
        break;
      case "presence":
        if (told.status === "online") this.#doc.joined();
        break;
      case "document_state":
        this.#compare(told);
        break;
      case "error":
        if (this.isAnswered(told.id)) this.#refused(told);
        break;
      case "unsubscribed":
        if (told.reason) this.end("refused", told.reason);
    }
  }

  /** Send what was written, unless something is under way: then it is gathered until that is acknowledged. */
  flush() {
    const replica = this.#doc.replica;
    if (!this.#isLive || this.#isPaced || replica.underWay || !replica.buffer) return;
    this.#isPaced = true;
    this.later(PACE_MS, () => {
      this.#isPaced = false;
      this.flush();
    });
    this.#send(replica.next());
  }

  say(type, fields) {
    const { rev } = this.#doc.replica;
    this.#client.send({ type, document_id: this.#id, rev, ...UTF16, ...fields });
  }

  later(milliseconds, then) {
    const timer = this.#client.surroundings.setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, milliseconds);
    this.#timers.add(timer);
  }

  get #path() {
    return encodeURIComponent(this.#id);
  }

  #begin() {
    this.#isLive = false;
    this.#asked = this.#said = null;
    return (this.#turn += 1);
  }

  #subscribe() {
    const { epoch, rev: since } = this.#doc.replica;
    this.#begin();
    this.#asked = this.#client.send({ type: "subscribe", room: `document:${this.#id}`, ...UTF16, epoch, since });
  }

  #subscribed({ epoch, seq }) {
    const replica = this.#doc.replica;
    this.#asked = null;
    if (epoch !== replica.epoch || seq !== replica.rev) {
      this.#catchUp(epoch, "reset");
      return;
    }
    this.#isLive = true;
    if (replica.underWay) this.#send(replica.underWay); // the very same again: perhaps only its ack was lost
    else this.flush();
    this.#doc.become("live");
  }

  #heardOperation(told) {
    const replica = this.#doc.replica;
    const rev = told.rev ?? told.seq;
    const isOther = told.epoch !== undefined && told.epoch !== replica?.epoch;
    const isCatchingUp = !this.#isLive && this.#asked === null; // then the history has it
    if (!replica || isOther || isCatchingUp || rev <= replica.rev) return;
    if (rev === replica.rev + 1) {
      const isOwn = told.session === replica.session && told.session_seq === replica.underWay?.seq;
      this.#take(isOwn, told);
    } else if (this.#asked === null) {
      this.#subscribe(); // a hole: ask for what is missing, once
    }
  }

  /** The next rev, from wherever it came. */
  #take(isOwn, { ops, op_id, user_id: userId }) {
    const replica = this.#doc.replica;
    if (isOwn) {
      replica.confirm();
      this.#refusals = 0;
      this.#doc.emit("acknowledged", { op_id, rev: replica.rev });
      this.flush();
    } else {
      this.#doc.changed(replica.hear(fromJson(ops)), userId);
    }
    this.#doc.savedAll();
  }

  #send({ seq, base_rev: baseRev, said }) {
    const { epoch, session } = this.#doc.replica;
    const operation = { client_id: this.#clientId, timestamp: Math.floor(Date.now() / 1000) };
    const place = { document_id: this.#id, epoch, base_rev: baseRev, session, session_seq: seq, ...UTF16 };
    this.#said = this.#client.send({ type: "operation", payload: { ...place, operation, ops: toJson(said) } });
  }

  #refused({ id, code, retryable, last_session_seq: lastSeq }) {
    const turn = this.#turn;
    if (id === this.#asked) {
      if (retryable) this.#soon(turn, () => this.start());
      else this.end("refused", code);
    } else if (retryable) {
      this.#soon(turn, () => this.#doc.replica.underWay && this.#send(this.#doc.replica.underWay));
    } else if (code === "resync_required" || code.startsWith("seq_")) {
      this.#resync(code, lastSeq);
    } else {
      this.#startOver(code);
    }
  }

  /** What is under way has no place as it was said: say it anew once everything before it is known. */
  async #resync(code, lastSeq) {
    const replica = this.#doc.replica;
    this.#refusals += 1;
    if (this.#refusals > MOST_REFUSALS) {
      this.#startOver(code);
      return;
    }
    await this.#catchUp(replica.epoch, code, () => {
      const seq = replica.underWay?.seq;
      if (seq !== undefined && lastSeq >= seq) return false; // its number is used, by what is not in the history
      replica.rebase(lastSeq === undefined || lastSeq === seq - 1 ? null : this.#newSession());
      return true;
    });
  }

  /** Hear from the history what was missed, then go on, unless `settle` says no; else take the whole text again. */
  async #catchUp(epoch, why, settle = () => true) {
    const turn = this.#begin();
    const replica = this.#doc.replica;
    for (let hasMore = true; hasMore; ) {
      const page = { from_rev: replica.rev, limit: HISTORY_PAGE, ...UTF16 };
      const answer = epoch === replica.epoch ? await this.#ask(turn, `${this.#path}/operations`, page) : undefined;
      if (answer === null) return;
      if (answer === undefined || answer.items.some((one, place) => one.rev !== replica.rev + 1 + place)) {
        this.#startOver(why);
        return;
      }
      for (const one of answer.items) this.#take(replica.underWay !== null && one.client_id === this.#clientId, one);
      hasMore = answer.next_cursor !== null;
    }
    if (settle()) this.#subscribe();
    else this.#startOver(why);
  }

  /** What is here cannot be brought together with the server's text: take that. */
  async #startOver(why) {
    const read = await this.#read(this.#begin());
    if (!read) return;
    this.#refusals = 0;
    this.#doc.take(read, this.#newSession(), why);
    this.#subscribe();
  }

  async #read(turn) {
    const read = await this.#ask(turn, this.#path, UTF16);
    if (read === undefined) this.end("refused", "unreadable");
    return read;
  }

  /** What the server answers; null where that is not wanted any more or refused for good, undefined where it is gone. */
  async #ask(turn, path, query) {
    while (turn === this.#turn) {
      try {
        const answer = await this.#client.get(path, query);
        return turn === this.#turn ? answer : null;
      } catch (problem) {
        if (turn !== this.#turn) return null;
        if ([401, 403, 404].includes(problem.status)) {
          this.end("refused", problem.code ?? "not_found");
          return null;
        }
        if (problem.status >= 400 && problem.status < 429) return undefined;
      }
      await new Promise((resolve) => this.later(this.#patience(), resolve));
    }
    return null;
  }

  /** Whether this text is the server's at that rev; if not, something is broken: read it again. */
  async #compare({ rev, hash, epoch }) {
    const replica = this.#doc.replica;
    const isComparable = () =>
      this.#isLive && this.#doc.replica === replica && rev === replica.rev && !replica.isPending;
    if (!replica || !isComparable() || (epoch !== undefined && epoch !== replica.epoch)) return;
    const own = await sha256(replica.text);
    if (own === null || own === hash || !isComparable()) return;
    this.#doc.emit("diverged", { rev });
    this.#startOver("diverged");
  }

  #soon(turn, then) {
    this.later(this.#patience(), () => turn === this.#turn && then());
  }

  #patience() {
    return AGAIN_MS * (1 + this.#client.surroundings.random());
  }

  #newSession() {
    return Array.from({ length: 4 }, () => this.#draw(2 ** 32).toString(16).padStart(8, "0")).join("");
  }

  #draw(below) {
    return Math.floor(this.#client.surroundings.random() * below);
  }
}

async function sha256(text) {
  const subtle = globalThis.crypto?.subtle; // only on pages that came safely, and in Node
  if (!subtle) return null;
  const hash = new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
