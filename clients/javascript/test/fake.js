// A server in memory, a network that is late and breaks, and a clock that only moves when it is told to.
//
// Invariant: what happens is decided by the seed alone, whatever the machine does meanwhile.
import { createHash } from "node:crypto";
import { QuintetText } from "../src/index.js";
import { apply, fromJson, toJson, transform } from "../src/operation.js";
import { chance } from "./chance.js";

/** Time, in milliseconds; timers run in the order of their times, all promises in between. */
export class Time {
  now = 0;
  #timers = new Map();
  #count = 0;

  setTimeout = (then, milliseconds) => {
    this.#timers.set((this.#count += 1), { at: this.now + milliseconds, then });
    return this.#count;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  async pass(milliseconds) {
    const until = this.now + milliseconds;
    for (;;) {
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const due = [...this.#timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].then();
    }
    this.now = until;
  }

  async until(isSo, most = 600_000) {
    for (const end = this.now + most; !isSo(); ) {
      if (this.now > end) throw new Error("waited in vain");
      await this.pass(20);
    }
  }
}

/** What the contract says of one document, as simple as can be; positions are UTF-16 units throughout. */
export class Server {
  sockets = new Set();
  heard = []; // what clients said
  answers = new Map(); // session → {seq, said, ack}
  mostBehind = Infinity; // further behind is `resync_required`
  replayReach = Infinity; // further back is `reset`
  floor = 0; // history from before is collected
  isDown = false;
  refusing = null; // a refusal for every operation
  goodToken = null;
  users = 0;
  busy = 0; // so often the server says "later"

  constructor(seed = 1, options = {}) {
    this.random = chance(seed);
    this.time = new Time();
    this.slowest = options.slowest ?? 80;
    this.begin("");
  }

  begin(text, epoch = "first") {
    Object.assign(this, { text, epoch, history: [], started: text, answers: new Map() });
  }

  get rev() {
    return this.history.length;
  }

  get hash() {
    return createHash("sha256").update(this.text).digest("hex");
  }

  delay() {
    return 1 + this.random() * this.slowest;
  }

  client(options = {}) {
    const server = this;
    const user = `user-${(this.users += 1)}`;
    const surroundings = {
      WebSocket: class extends Socket {
        constructor(url) {
          super(server, url, user);
        }
      },
      fetch: (url, what) => this.#fetch(new URL(url), what),
      random: this.random,
      ...{ setTimeout: this.time.setTimeout, clearTimeout: this.time.clearTimeout },
    };
    return new QuintetText({ url: "http://fake", token: "good", surroundings, ...options });
  }

  async #fetch(url, { headers }) {
    await new Promise((resolve) => this.time.setTimeout(resolve, this.delay()));
    if (this.isDown || this.random() < (this.unreachable ?? 0)) throw new TypeError("no connection");
    const answer = this.#answer(url, headers.Authorization);
    await new Promise((resolve) => this.time.setTimeout(resolve, this.delay()));
    return answer;
  }

  #answer(url, authorization) {
    const reply = (status, body) => ({ status, ok: status < 400, json: async () => structuredClone(body) });
    if (this.goodToken && authorization !== `Bearer ${this.goodToken}`) return reply(401, { code: "not_signed_in" });
    if (url.pathname.includes("hidden")) return reply(404, { code: "not_found", title: "There is no such thing here" });
    const { epoch, rev, text: content } = this;
    if (!url.pathname.endsWith("/operations")) return reply(200, { epoch, rev, content });
    const from = Number(url.searchParams.get("from_rev"));
    if (from < this.floor) return reply(410, { code: "history_collected" });
    const items = this.history.slice(from, from + 3); // as a page that is cut because it is large
    const next_cursor = from + 3 < rev ? "more" : null;
    return reply(200, { items: items.map(({ session, session_seq, ...one }) => one), next_cursor });
  }

  /** Something was said on a socket. */
  hear(socket, message) {
    this.heard.push(message);
    if (message.type === "subscribe") this.#subscribe(socket, message);
    else if (message.type === "operation") this.#operate(socket, message);
    else if (message.type === "ping") socket.say({ type: "pong", id: message.id });
    else if (message.type === "cursor") this.#tell({ ...message, user_id: socket.user, connection_id: socket.user }, socket);
    else if (message.type === "unsubscribe") socket.isJoined = false;
  }

  #subscribe(socket, { id, room, epoch, since }) {
    const { rev } = this;
    if (this.busy-- > 0) return socket.say({ type: "error", id, room, code: "unavailable", retryable: true });
    if (room.includes("hidden")) return socket.say({ type: "error", id, room, code: "not_found", retryable: false });
    if (epoch !== this.epoch || since > rev || since < rev - this.replayReach || since < this.floor) {
      socket.say({ type: "reset", room, epoch: this.epoch, seq: rev });
    } else {
      for (const one of this.history.slice(since)) socket.say({ type: "operation", room, seq: one.rev, ...one });
    }
    socket.isJoined = true;
    this.#tell({ type: "presence", room, user_id: socket.user, status: "online" }, socket);
    socket.say({ type: "subscribed", id, room, epoch: this.epoch, seq: rev, presence: [] });
  }

  #operate(socket, { id, payload }) {
    const { session, session_seq: seq, base_rev: base, epoch, ops, operation } = payload;
    const document_id = payload.document_id;
    const last_session_seq = this.answers.get(session)?.seq ?? 0;
    const refuse = (code, retryable = false) =>
      socket.say({ type: "error", id, code, retryable, document_id, last_session_seq, epoch: this.epoch, rev: this.rev });
    if (this.refusing) return refuse(this.refusing.code, this.refusing.retryable);
    if (epoch !== this.epoch) return refuse("resync_required");
    const last = this.answers.get(session);
    if (last?.seq === seq) {
      if (JSON.stringify(last.said) !== JSON.stringify([ops, base])) return refuse("seq_reused");
      return socket.say({ ...last.ack, id });
    }
    if (seq !== last_session_seq + 1) return refuse(seq > last_session_seq ? "resync_required" : "seq_passed");
    if (this.rev - base > this.mostBehind || base < this.floor) return refuse("resync_required");
    let op = fromJson(ops);
    for (const one of this.history.slice(base)) op = transform(op, fromJson(one.ops), true);
    const done = this.commit(op, { session, session_seq: seq, client_id: operation.client_id, user_id: socket.user }, socket);
    const ack = { type: "operation_ack", id, document_id: payload.document_id, epoch: this.epoch, ...done };
    this.answers.set(session, { seq, said: [ops, base], ack });
    return socket.say(ack);
  }

  /** An operation as the next rev; everybody hears it, some twice. */
  commit(op, by = { session: "elsewhere", session_seq: this.rev, client_id: 1, user_id: "else" }, author = null) {
    this.text = apply(this.text, op);
    const done = { rev: this.rev + 1, ops: toJson(op), unit: "utf16", ...by };
    this.history.push(done);
    const told = { type: "operation", room: "document:a:b:c", seq: done.rev, epoch: this.epoch };
    for (let times = this.random() < 0.1 ? 2 : 1; times; times -= 1) {
      this.#tell({ ...told, payload: done, ...done }, author);
    }
    return done;
  }

  tellState(hash = this.hash) {
    this.#tell({ type: "document_state", document_id: "a:b:c", rev: this.rev, epoch: this.epoch, hash });
  }

  #tell(message, except = null) {
    for (const socket of this.sockets) if (socket.isJoined && socket !== except) socket.say(message);
  }

  /** Every line breaks; what was on its way is lost. */
  breakAll() {
    for (const socket of [...this.sockets]) socket.break(1006);
  }
}

/** A WebSocket as browsers have it, over that network: in order, late, and now and then broken. */
class Socket {
  isJoined = false;
  #server;
  #isOver = false;
  #arrivals = { there: 0, here: 0 };

  constructor(server, url, user) {
    this.#server = server;
    this.user = user;
    this.token = new URL(url).searchParams.get("token");
    this.#travel("there", () => {
      if (server.isDown) return this.break(1006);
      if (server.goodToken && this.token !== server.goodToken) return this.break(4401);
      server.sockets.add(this);
      return this.say({ type: "system", event: "connected" });
    });
  }

  send(data) {
    this.#travel("there", () => this.#server.hear(this, JSON.parse(data)));
  }

  say(message) {
    const data = JSON.stringify(message);
    this.#travel("here", () => this.onmessage?.({ data }));
  }

  close() {
    this.#isOver = true;
    this.#server.sockets.delete(this);
  }

  break(code) {
    this.close();
    this.#server.time.setTimeout(() => this.onclose?.({ code }), this.#server.delay());
  }

  #travel(way, then) {
    const { time } = this.#server;
    this.#arrivals[way] = Math.max(this.#arrivals[way], time.now + this.#server.delay());
    time.setTimeout(() => this.#isOver || then(), this.#arrivals[way] - time.now);
  }
}
