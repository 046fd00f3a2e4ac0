// What those one follows do, as they do it; and following somebody.

import * as api from "../shared/api.js";
import { say, sayProblem } from "../shared/account.js";
import { ago } from "../shared/words.js";
import { deed } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const MOST = 20; // that are read at once
const MOST_SHOWN = 100;

/** The friends' feed: `read(told)` reads it, `take(item)` takes a newer state of an item or a new one. */
export class Friends {
  #items = new Map(); // by id: an item that grows keeps its id, and takes the newest time
  #next = null;

  constructor({ may }) {
    $("#follow").onsubmit = async (event) => {
      event.preventDefault();
      if (!may("Sign in to follow somebody.")) return;
      const { username } = Object.fromEntries(new FormData(event.target));
      try {
        const { status } = (await api.post(`/api/v1/users/${encodeURIComponent(username.trim())}/follow`)) ?? {};
        say(status === "requested" ? `${username} will be asked.` : `You follow ${username}.`);
        event.target.reset();
        await this.read();
      } catch (problem) {
        if (problem.code === "not_found") say(`Nobody is called ${username}.`, problem.code);
        else sayProblem(problem);
      }
    };
    $("#older").onclick = () => this.#more().catch(sayProblem);
    setInterval(() => this.#tellTimes(), 30_000);
  }

  async read(told) {
    const { items, next_cursor } = await api.get(`/social/feed?limit=${MOST}`, told);
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#next = next_cursor;
    this.#draw();
  }

  async #more() {
    const { items, next_cursor } = await api.get(`/social/feed?limit=${MOST}&cursor=${encodeURIComponent(this.#next)}`);
    for (const item of items) if (!this.#items.has(item.id)) this.#items.set(item.id, item);
    this.#next = next_cursor;
    this.#draw();
  }

  take(item) {
    if (this.#items.get(item.id)?.at > item.at) return; // it was read since
    this.#items.set(item.id, item);
    this.#draw(item.id);
    $("#news").textContent = $("#feed [data-item] p")?.textContent ?? ""; // to the ear the newest alone, not all anew
  }

  clear() {
    this.#items.clear();
    this.#next = null;
    this.#draw();
  }

  #draw(fresh) {
    const newest = [...this.#items.values()].sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1));
    const shown = newest.slice(0, MOST_SHOWN);
    // A note is shown once: where it was noted, else with the ranking that it came with.
    const noted = new Set(shown.filter((item) => item.kind === "noted").map((item) => item.ranking_id));
    const noteOf = (item) => (item.kind === "noted" || !noted.has(item.ranking_id) ? item.note : "");
    $("#feed").replaceChildren(...shown.map((item) => rowOf({ ...item, note: noteOf(item) }, item.id === fresh)));
    $("#no-feed").hidden = shown.length > 0;
    $("#older").hidden = !this.#next || shown.length >= MOST_SHOWN;
  }

  #tellTimes() {
    for (const time of document.querySelectorAll("#feed time")) time.textContent = ago(time.dateTime);
  }
}

function rowOf(item, isFresh) {
  const row = document.createElement("li");
  row.dataset.item = item.id;
  if (isFresh) row.className = "fresh";
  const [before, after] = deed(item);
  const words = document.createElement("p");
  const who = Object.assign(document.createElement("strong"), { textContent: item.user.display_name || item.user.username, dir: "auto" });
  const what = Object.assign(document.createElement("em"), { textContent: item.media.title, dir: "auto" });
  words.append(who, " ", before, what, after);
  const badge = Object.assign(document.createElement("span"), { className: `badge tier-${item.tier}`, textContent: item.tier });
  badge.setAttribute("aria-hidden", "true");
  const about = document.createElement("div");
  about.append(words);
  if (item.note) about.append(Object.assign(document.createElement("blockquote"), { textContent: item.note, dir: "auto" }));
  about.append(Object.assign(document.createElement("time"), { className: "soft", dateTime: item.at, textContent: ago(item.at) }));
  row.append(badge, about);
  return row;
}
