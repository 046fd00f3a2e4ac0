// The channels at the side: one's own and public ones, found by name; and opening a new one.

import { sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { $, closable, colour, make, redraw } from "./drawing.js";

const MOST = 50; // that are read at once
const TYPING_MS = 150;

export class Channels {
  #own = new Map();
  #public = new Map();
  #next = null;
  #chosen = "feed";
  #asked = 0;

  constructor() {
    let typing = 0;
    $("#find").oninput = () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.find().catch(sayProblem), TYPING_MS);
    };
    $("#more-channels").onclick = () => this.#readPublic(this.#next).catch(sayProblem);
    const dialog = closable($("#opening"));
    $("#new-channel").onclick = () => {
      $(".refused", dialog).textContent = "";
      dialog.showModal();
    };
    $("form", dialog).onsubmit = (event) => {
      event.preventDefault();
      this.#open(dialog, event.target);
    };
  }

  nameOf = (id) => (this.#own.get(id) ?? this.#public.get(id))?.name;

  /** Read all anew. */
  async read() {
    const own = new Map();
    for (let cursor = ""; cursor !== null; ) {
      const page = await api.get(`/api/v1/channels?member=me&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      for (const one of page.items) own.set(one.id, one);
      cursor = page.next_cursor;
    }
    this.#own = own;
    await this.find();
  }

  async find() {
    await this.#readPublic(null);
  }

  async #readPublic(cursor) {
    const asked = ++this.#asked; // an answer that was overtaken by a newer question is not shown
    const words = $("#find").value.trim();
    const query = [`limit=${MOST}`, words && `q=${encodeURIComponent(words)}`, cursor && `cursor=${encodeURIComponent(cursor)}`];
    const { items, next_cursor } = await api.get(`/api/v1/channels?${query.filter(Boolean).join("&")}`);
    if (asked !== this.#asked) return;
    if (!cursor) this.#public.clear();
    for (const one of items) if (!one.private) this.#public.set(one.id, one);
    this.#next = next_cursor;
    this.draw();
  }

  /** A channel as it is now; `null` where it is gone for oneself. */
  know(channel) {
    if (channel.role) this.#own.set(channel.id, channel);
    else this.#own.delete(channel.id);
    if (!channel.private) this.#public.set(channel.id, channel);
    this.draw();
  }

  forget(id) {
    this.#own.delete(id);
    this.#public.delete(id);
    this.draw();
  }

  choose(id) {
    this.#chosen = id;
    this.draw();
  }

  draw() {
    const others = [...this.#public.values()].filter((one) => !this.#own.has(one.id));
    const words = $("#find").value.trim();
    redraw($("#own-channels"), [...this.#own.values()].map((one) => this.#row(one)));
    redraw($("#public-channels"), others.map((one) => this.#row(one)));
    $("#no-own").hidden = this.#own.size > 0;
    $("#no-public").hidden = others.length > 0;
    $("#no-public").textContent = words ? `No other channel is called “${words}”.` : "No other public channels yet. Open the first one.";
    $("#more-channels").hidden = !this.#next;
    mark($("#to-feed"), this.#chosen === "feed");
  }

  #row({ id, name, private: isPrivate, members }) {
    const dot = colour(make("i", { className: "dot" }), id);
    dot.setAttribute("aria-hidden", "true");
    const link = make("a", { href: `#${id}` }, dot, make("span", { className: "name", textContent: name, dir: "auto" }));
    if (isPrivate) link.append(make("span", { className: "lock", title: "members only", textContent: "🔒" }));
    const size = make("span", { className: "size soft", textContent: members });
    size.append(make("span", { className: "unseen", textContent: members === 1 ? " member" : " members" }));
    link.append(size);
    link.dataset.channel = link.dataset.key = id;
    mark(link, this.#chosen === id);
    return make("li", {}, link);
  }

  async #open(dialog, form) {
    const { name, private: isPrivate } = Object.fromEntries(new FormData(form));
    try {
      const channel = await api.post("/api/v1/channels", { name, private: Boolean(isPrivate) });
      form.reset();
      dialog.close();
      this.know(channel);
      location.hash = channel.id;
    } catch (problem) {
      $(".refused", dialog).textContent = problem.message;
    }
  }
}

function mark(link, isChosen) {
  if (isChosen) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}
