// Who is in a channel, and who of them is there right now: at the desk, in the studio, or away.

import { sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { $, count, make, nameOf, redraw, twice, wear } from "./drawing.js";

const MOST = 100; // that are read at once
const ORDER = { in_studio: 0, online: 1, offline: 2 };
const WORDS = { in_studio: "in the studio", online: "here", offline: "away" };

export class Members {
  #members = new Map(); // by user id: {user, role, since}
  #present = new Map(); // by user id: "online" | "in_studio"
  #next = null;
  #channel = null;

  constructor(people) {
    this.people = people;
    $("#more-members").onclick = () => this.#read(this.#next).catch(sayProblem);
  }

  /** Show the people of another channel from now on. */
  show(channel) {
    this.#channel = channel;
    this.#members.clear();
    this.#present.clear();
    this.#draw();
  }

  async read(told) {
    await this.#read(null, told);
  }

  async #read(cursor, told) {
    const channel = this.#channel;
    const { items, next_cursor } = await api.get(`/api/v1/channels/${channel.id}/members?limit=${MOST}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, told);
    if (channel !== this.#channel) return;
    if (!cursor) this.#members.clear();
    for (const one of items) this.#put(one);
    this.#next = next_cursor;
    this.#draw();
  }

  #put({ user, role, since }) {
    this.people.learn(user);
    this.#members.set(user.id, { user, role, since });
  }

  joined(member) {
    this.#put(member);
    this.#draw();
  }

  left(userId) {
    this.#members.delete(userId);
    this.#draw();
  }

  changed(ownerId) {
    for (const one of this.#members.values()) one.role = one.user.id === ownerId ? "owner" : "member";
    this.#draw();
  }

  present(list) {
    this.#present = new Map(list.map(({ user_id: id, status }) => [id, status]));
    this.#draw();
  }

  #statusOf = (id) => this.#present.get(id) ?? "offline";

  #draw() {
    if (!this.#channel) return;
    const sorted = [...this.#members.values()].sort((a, b) => ORDER[this.#statusOf(a.user.id)] - ORDER[this.#statusOf(b.user.id)] || nameOf(a.user).localeCompare(nameOf(b.user)));
    redraw($("#members"), sorted.map((one) => this.#row(one)));
    const guests = [...this.#present.keys()].filter((id) => !this.#members.has(id)).length;
    const here = this.#present.size - guests;
    const words = [`${count(here, "member")} here now`, guests && !this.#next && count(guests, "guest")].filter(Boolean).join(", ");
    if ($("#people-count").textContent !== words) $("#people-count").textContent = words; // spoken once
    $("#more-members").hidden = !this.#next;
  }

  #row({ user, role }) {
    const status = this.#statusOf(user.id);
    const face = wear(make("span", { className: "face" }), user);
    face.setAttribute("aria-hidden", "true");
    const own = user.id === api.user()?.id;
    const row = make("li", { className: `member ${status}` }, face, make("span", { className: "who" }, make("strong", { textContent: nameOf(user) + (own ? " (you)" : ""), dir: "auto" }), make("span", { className: "soft", textContent: [role === "owner" && "owner", WORDS[status]].filter(Boolean).join(" · ") })));
    row.dataset.user = user.id;
    row.dataset.status = status;
    if (this.#channel.role === "owner" && !own) {
      const button = make("button", { type: "button", className: "quiet delete", textContent: "✕", ariaLabel: `Remove ${nameOf(user)}` });
      button.dataset.key = user.id;
      twice(button, "Remove?", () => api.remove(`/api/v1/channels/${this.#channel.id}/members/${user.id}`).then(() => this.left(user.id), sayProblem));
      row.append(button);
    }
    return row;
  }
}
