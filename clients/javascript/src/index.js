// Collaborative text of a Quintet server. No dependencies; for browsers and Node. README.md tells how to use it.
//
//   const client = new QuintetText({ url: "https://quintet.example", token: () => session.accessToken });
//   const doc = await client.open("channel:0192…:description");
//   doc.on("change", ({ text }) => …);
//   doc.insert(0, "Hello");

import { Connection } from "./connection.js";
import { SharedDocument } from "./document.js";
import { Emitter } from "./emitter.js";

export * as operations from "./operation.js";
export { bindTextarea } from "./textarea.js";

export class QuintetText extends Emitter {
  #connection;
  #documents = new Map();
  #numbers = 0;

  /**
   * @param {object} options
   * @param {string | URL} options.url the server's address
   * @param {string | ((fresh: boolean) => string | Promise<string>)} options.token an access token, or what gives one;
   *   `fresh`: the last one is refused, or about to expire
   * @param {() => Promise<string>} [options.ticket] a ticket of POST /ws/ticket for each socket, where tokens shall not
   *   stand in its address
   * @param {object} [options.surroundings] `WebSocket` (Node before 22 has none: give that of `ws`), `fetch`, `random`,
   *   `setTimeout`, `clearTimeout`
   */
  constructor({ url, token, ticket, surroundings = {} }) {
    super();
    this.url = new URL(url);
    this.token = async (fresh) => (typeof token === "function" ? token(fresh) : token);
    const ownSurroundings = {
      WebSocket: globalThis.WebSocket,
      fetch: (...what) => globalThis.fetch(...what),
      random: Math.random,
      setTimeout: (...what) => globalThis.setTimeout(...what),
      clearTimeout: (timer) => globalThis.clearTimeout(timer),
    };
    this.surroundings = { ...ownSurroundings, ...surroundings };
    if (!this.surroundings.WebSocket) throw new TypeError("there is no WebSocket here: give one in `surroundings`");
    this.#connection = new Connection({
      url: this.url, token: this.token, ticket, surroundings: this.surroundings,
      listener: {
        opened: () => this.#all((doc) => doc.opened()),
        heard: (message) => this.#heard(message),
        lost: () => this.#all((doc) => doc.lost()),
        state: (state) => this.emit("state", state),
      },
    });
  }

  /** The document, once its text is here. The same document twice is one; rejects where it is not there for you. */
  open(id) {
    let doc = this.#documents.get(id);
    if (!doc) {
      doc = new SharedDocument(this, id);
      this.#documents.set(id, doc);
      if (this.#connection.isOpen) doc.opened();
      else this.#connection.hurry();
    }
    return doc.ready;
  }

  /** End everything; what is not saved yet stays unsaved. */
  close() {
    for (const doc of [...this.#documents.values()]) doc.close();
    this.#connection.close();
  }

  get isLive() {
    return this.#connection.isOpen;
  }

  /** For documents: send a message; its `id`, by which an answer names it. */
  send(message) {
    const id = `text-${(this.#numbers += 1)}`;
    this.#connection.send({ id, ...message });
    return id;
  }

  /** For documents: forget one. */
  forget(id) {
    this.#documents.delete(id);
  }

  /** For documents: GET below /api/v1/documents; throws with `status` and `code` where it is refused. */
  async get(path, query) {
    const url = new URL(`/api/v1/documents/${path}`, this.url);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    let answer;
    for (const fresh of [false, true]) {
      const headers = { Authorization: `Bearer ${await this.token(fresh)}` };
      answer = await this.surroundings.fetch(url.href, { headers, cache: "no-store" });
      if (answer.status !== 401) break;
    }
    const body = await answer.json();
    if (answer.ok) return body;
    throw Object.assign(new Error(body.title ?? `status ${answer.status}`), { status: answer.status, code: body.code });
  }

  #all(tell) {
    for (const doc of [...this.#documents.values()]) tell(doc);
  }

  #heard(message) {
    const room = message.room ?? "";
    const id = message.document_id ?? (room.startsWith("document:") ? room.slice("document:".length) : null);
    if (id !== null) this.#documents.get(id)?.heard(message);
    else if (message.id) this.#all((doc) => doc.isAnswered(message.id) && doc.heard(message));
  }
}
