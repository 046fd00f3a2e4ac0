// The live connection: one socket, any number of rooms, and no event missed or told twice. Copy this module.
//
//   const live = new Live({ ticket, token });
//   const room = live.join("title:heat-1995", {
//     event(message, isNews) {},  // a durable event, each once, in order
//     reread() {},          // what you hold is older than what you will hear: read it all (again) over HTTP
//     people(list) {},      // who is here: [{user_id, status, mode?}]
//     refused(code) {},     // the room is not there, or not for you
//   });
//   room.readAt("curve", answer.headers.get("Room-Seq"));   // after each read: from now on `isNews("curve")` is
//                                                           // false for events that this curve already shows
//   room.say("editing");                           // how you are here
//   live.listen((message) => {});                  // everything that is said, as it comes; answers what ends it
//   live.send({ type: "presence", status: "in_studio" });   // anything else there is to say; false: off the line
//
// The protocol is told in docs/live.md.

const SHORTEST_MS = 300;
const LONGEST_MS = 30_000;
const STEADY_MS = 10_000; // a server that takes us and drops us at once is no better than none
const PING_MS = 20_000;
const PONG_MS = 8_000;
const NOT_SIGNED_IN = 4401;
const MISBEHAVED = [1008, 1009]; // our own fault: coming back at once would only repeat it

export class Live {
  #rooms = new Map();
  #listeners = new Set();
  #socket = null;
  #tries = 0;
  #timers = {};
  #ended = false;
  #staleToken = false;

  /** `ticket(fresh)` answers a ticket of POST /ws/ticket, `token()` a fresh access token; `state(word)` is told. */
  constructor({ ticket, token, state = () => {} }) {
    Object.assign(this, { ticket, token, state });
    this.on = new AbortController();
    const { signal } = this.on;
    // A browser notices a dead line late or never; these two know sooner.
    addEventListener("offline", () => this.#abandon(), { signal });
    addEventListener("online", () => this.#hurry(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry(), { signal });
    this.#connect();
  }

  join(name, listener) {
    const room = new Room(name, listener, (message) => this.send(message));
    this.#rooms.set(name, room);
    if (this.#isOpen) room.subscribe();
    return room;
  }

  leave(name) {
    if (this.#rooms.delete(name)) this.send({ type: "unsubscribe", room: name });
  }

  /** Be told every message as it comes, before its room is. Answers what ends it. */
  listen(told) {
    this.#listeners.add(told);
    return () => this.#listeners.delete(told);
  }

  /** Whether it could be sent. */
  send(message) {
    if (!this.#isOpen) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  close() {
    this.#ended = true;
    this.on.abort();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#socket?.close();
  }

  get #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN && this.#socket.welcomed;
  }

  async #connect() {
    clearTimeout(this.#timers.again);
    this.#timers.again = 0;
    this.state("connecting");
    try {
      const ticket = await this.ticket(this.#staleToken);
      if (this.#ended) return;
      const address = new URL(`/ws?ticket=${encodeURIComponent(ticket)}`, location.href);
      address.protocol = address.protocol.replace("http", "ws");
      const socket = (this.#socket = new WebSocket(address));
      socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data));
      socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
    } catch (problem) {
      this.#lost(problem.status === 401 ? NOT_SIGNED_IN : 0);
    }
  }

  /** The line is dead. A closing handshake would wait for an answer that cannot come: look for another at once. */
  #abandon() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(0);
    socket.close();
  }

  #lost(code) {
    this.#socket = null;
    for (const name of ["ping", "pong", "steady"]) clearTimeout(this.#timers[name]);
    if (this.#ended) return;
    if (code === NOT_SIGNED_IN && this.#staleToken) return this.state("signed out"); // a new token did not help
    this.#staleToken = code === NOT_SIGNED_IN;
    for (const room of this.#rooms.values()) room.lost();
    this.state("waiting");
    // Full jitter: when a server restarts, its thousands of clients must not come back in the same instant.
    const most = MISBEHAVED.includes(code) ? LONGEST_MS : Math.min(LONGEST_MS, SHORTEST_MS * 2 ** this.#tries++);
    this.#timers.again = setTimeout(() => this.#connect(), SHORTEST_MS / 3 + Math.random() * most);
  }

  #hurry() {
    if (this.#timers.again) this.#connect();
  }

  #hear(message) {
    for (const told of this.#listeners) told(message);
    const room = this.#rooms.get(message.room);
    switch (message.type) {
      case "system":
        if (message.event !== "connected") return;
        this.#timers.steady = setTimeout(() => (this.#tries = 0), STEADY_MS);
        this.#staleToken = false;
        this.#socket.welcomed = true;
        this.state("live");
        this.#ping();
        for (const one of this.#rooms.values()) one.subscribe();
        return;
      case "token_expiring":
        return void this.token().then((token) => this.send({ type: "auth", token }), () => {}); // else: 4401
      case "pong":
        return clearTimeout(this.#timers.pong);
      case "error":
        return room?.refused(message);
      default:
        return room?.hear(message);
    }
  }

  #ping() {
    this.#timers.ping = setTimeout(() => {
      this.send({ type: "ping", id: Date.now() });
      this.#timers.pong = setTimeout(() => this.#abandon(), PONG_MS);
      this.#ping();
    }, PING_MS);
  }
}

class Room {
  #epoch = null; // what `seq` counts in; another one after a restore from a backup
  #seq = null; // everything up to here was heard
  #reads = new Map(); // how far each thing goes that was read over HTTP: each has a Room-Seq of its own
  #readEpoch = null;
  #mending = false; // subscribed anew because of a hole: what was missed comes first
  #people = new Map();
  #mode = null;

  constructor(name, listener, send) {
    Object.assign(this, { name, listener, send });
  }

  /** Ask to hear the room; whoever was here before goes on where it was. */
  subscribe() {
    const since = this.#seq === null ? {} : { since: this.#seq, epoch: this.#epoch };
    this.send({ type: "subscribe", id: this.name, room: this.name, ...since });
  }

  /** `what` was read over HTTP, and its `Room-Seq` was this. */
  readAt(what, roomSeq) {
    const [epoch, seq] = (roomSeq ?? "").split(":");
    if (this.#epoch !== null && epoch !== this.#epoch) return;
    if (epoch !== this.#readEpoch) this.#reads.clear();
    this.#readEpoch = epoch;
    this.#reads.set(what, Math.max(this.#reads.get(what) ?? -1, Number(seq)));
  }

  /** Say how one is here: "viewing", "editing"; said again after every reconnect. */
  say(mode) {
    this.#mode = mode;
    if (this.#seq !== null) this.send({ type: "presence", status: "online", room: this.name, mode });
  }

  hear(message) {
    if (message.type === "presence") return this.#present(message);
    if (message.type === "subscribed") return this.#subscribed(message);
    if (message.type === "reset") {
      // The log does not reach back to where we were, or counts anew: what we hold may be wrong in any way.
      this.#startAt(message);
      this.#reads.clear();
      return this.listener.reread?.();
    }
    if (message.type === "unsubscribed") return message.reason && this.listener.refused?.(message.reason);
    if (!Number.isInteger(message.seq)) return this.listener.transient?.(message);
    if (message.seq <= this.#seq) return;
    if (message.seq > this.#seq + 1) {
      // A hole. Ask for what is missing once; all that comes before the answer's beginning comes again.
      if (!this.#mending) this.subscribe();
      this.#mending = true;
      return;
    }
    this.#seq = message.seq;
    if (message.type === "skip") return; // something we may not see: only its place counts
    this.listener.event?.(message, (what) => message.seq > (this.#reads.get(what) ?? -1));
  }

  #subscribed(message) {
    this.#mending = false;
    const isFirst = this.#seq === null;
    if (isFirst && this.#readEpoch !== message.epoch) this.#reads.clear();
    this.#startAt(message);
    this.#people = new Map(message.presence.map((one) => [one.user_id, one]));
    this.listener.people?.([...this.#people.values()]);
    if (this.#mode) this.say(this.#mode);
    // Read before listening? Then something may have happened in between.
    const readUpTo = this.#reads.size ? Math.min(...this.#reads.values()) : -1;
    if (isFirst && readUpTo < message.seq) this.listener.reread?.();
  }

  #startAt({ epoch, seq }) {
    this.#epoch = epoch;
    this.#seq = seq;
  }

  #present(message) {
    if (message.status === "offline") this.#people.delete(message.user_id);
    else this.#people.set(message.user_id, message);
    this.listener.people?.([...this.#people.values()]);
  }

  lost() {
    this.#mending = false;
    this.#people.clear();
    this.listener.people?.([]);
  }

  refused({ code, retryable, id }) {
    if (retryable) setTimeout(() => this.subscribe(), 1000 + Math.random() * 2000);
    else if (id === this.name) this.listener.refused?.(code);
  }
}
