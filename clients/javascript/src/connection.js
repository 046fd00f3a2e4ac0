// One socket to the server, which comes back by itself: signing in, signs of life, waiting longer and longer.
//
// Invariant: whoever listens hears `opened` after each welcome, `heard` for what came on that socket, and `lost` once
// when it is gone; never anything of an older socket.

const SHORTEST_MS = 300;
const LONGEST_MS = 30_000;
const STEADY_MS = 10_000; // a server that takes us and drops us at once is no better than none
const PING_MS = 20_000;
const PONG_MS = 8_000;
const OPENING_MS = 15_000;
const NOT_SIGNED_IN = 4401;
const MISBEHAVED = [1008, 1009]; // our own fault: coming back at once would only repeat it

export class Connection {
  #surroundings;
  #listener;
  #socket = null;
  #welcomed = false;
  #tries = 0;
  #timers = {};
  #ended = false;
  #staleToken = false;

  /**
   * @param {{url: string | URL, token: (fresh: boolean) => Promise<string>, ticket?: () => Promise<string>,
   *   surroundings: {WebSocket: typeof WebSocket, random: () => number, setTimeout: Function, clearTimeout: Function},
   *   listener: {opened: Function, heard: Function, lost: Function, state: Function}}} parts
   */
  constructor({ url, token, ticket, surroundings, listener }) {
    this.url = new URL("/ws", url);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    Object.assign(this, { token, ticket });
    this.#surroundings = surroundings;
    this.#listener = listener;
    // A browser notices a dead line late or never; these two know sooner.
    globalThis.addEventListener?.("offline", this.#abandon);
    globalThis.addEventListener?.("online", this.hurry);
    this.#connect();
  }

  get isOpen() {
    return this.#welcomed;
  }

  send(message) {
    if (this.#welcomed) this.#socket.send(JSON.stringify(message));
  }

  close() {
    this.#ended = true;
    globalThis.removeEventListener?.("offline", this.#abandon);
    globalThis.removeEventListener?.("online", this.hurry);
    for (const name of Object.keys(this.#timers)) this.#stop(name);
    const socket = this.#socket;
    this.#lost(0);
    socket?.close();
  }

  /** Do not wait any longer: somebody wants to know. */
  hurry = () => {
    if (this.#timers.again) this.#connect();
  };

  async #connect() {
    this.#stop("again");
    this.#listener.state("connecting");
    try {
      const url = new URL(this.url);
      if (this.ticket) url.searchParams.set("ticket", await this.ticket());
      else url.searchParams.set("token", await this.token(this.#staleToken));
      if (this.#ended) return;
      const socket = (this.#socket = new this.#surroundings.WebSocket(url.href));
      this.#start("opening", OPENING_MS, this.#abandon);
      socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data));
      socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
      socket.onerror = () => {}; // `close` follows
    } catch (problem) {
      this.#lost(problem.status === 401 ? NOT_SIGNED_IN : 0);
    }
  }

  /** The line is dead. A closing handshake would wait for an answer that cannot come: look for another at once. */
  #abandon = () => {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(0);
    socket.close();
  };

  #lost(code) {
    const wasOpen = this.#welcomed;
    this.#socket = null;
    this.#welcomed = false;
    for (const name of ["opening", "ping", "pong", "steady"]) this.#stop(name);
    if (wasOpen) this.#listener.lost();
    if (this.#ended) return;
    if (code === NOT_SIGNED_IN && this.#staleToken) {
      this.#listener.state("signed out"); // a fresh token did not help
      return;
    }
    this.#staleToken = code === NOT_SIGNED_IN;
    this.#listener.state("waiting");
    // Full jitter: when a server restarts, its thousands of clients must not come back in the same instant.
    const most = MISBEHAVED.includes(code) ? LONGEST_MS : Math.min(LONGEST_MS, SHORTEST_MS * 2 ** this.#tries++);
    this.#start("again", SHORTEST_MS / 3 + this.#surroundings.random() * most, () => this.#connect());
  }

  #hear(message) {
    switch (message.type) {
      case "system":
        if (message.event === "connected") this.#welcome();
        return;
      case "token_expiring":
        this.token(true).then((token) => this.send({ type: "auth", token }), () => {}); // without: 4401
        return;
      case "pong":
        this.#stop("pong");
        return;
      default:
        this.#listener.heard(message);
    }
  }

  #welcome() {
    this.#stop("opening");
    this.#start("steady", STEADY_MS, () => (this.#tries = 0));
    this.#staleToken = false;
    this.#welcomed = true;
    this.#ping();
    this.#listener.state("live");
    this.#listener.opened();
  }

  #ping() {
    this.#start("ping", PING_MS, () => {
      this.send({ type: "ping", id: 0 });
      this.#start("pong", PONG_MS, this.#abandon);
      this.#ping();
    });
  }

  #start(name, milliseconds, then) {
    this.#stop(name);
    this.#timers[name] = this.#surroundings.setTimeout(() => {
      this.#timers[name] = null;
      then();
    }, milliseconds);
  }

  #stop(name) {
    this.#surroundings.clearTimeout(this.#timers[name]);
    this.#timers[name] = null;
  }
}
