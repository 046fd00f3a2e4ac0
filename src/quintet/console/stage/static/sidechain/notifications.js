// The bell: how much waits to be read, the list behind it, and how one wants to be told.
//
//   const end = mountNotifications(element, { api, live });   // draws into the element until `end()`
//
// The list is read once and then kept true by what one's own room tells. A hole, or coming back after a while, reads
// it anew: which is also when the number on the bell is, since numbers are told without a place in any log.

import { say, sayProblem } from "../shared/account.js";
import { folding } from "../shared/folding.js";
import { ago } from "../shared/words.js";
import { $, make, wear } from "./drawing.js";

const PATH = "/api/v1/notifications";
const MOST = 20; // that are read at once
const WAYS = { live: "here", push: "push", email: "e-mail" };
const BELL = "M6 16v-5a6 6 0 0 1 12 0v5l2 2H4zM10 21h4";

export function mountNotifications(element, { api, live }) {
  const panel = new Panel(element, api);
  const room = `user:${api.user().id}`;
  const unlisten = live.listen((message) => panel.hear(message, room));
  panel.reread();
  const timer = setInterval(() => panel.tellTimes(), 30_000);
  return () => {
    unlisten();
    clearInterval(timer);
    panel.end();
  };
}

class Panel {
  #items = new Map(); // by id
  #next = null;
  #heard = null; // the room's seq up to which the list is true
  #ended = false;

  constructor(element, api) {
    Object.assign(this, { element, api });
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    icon.append(document.createElementNS(icon.namespaceURI, "path"));
    icon.firstChild.setAttribute("d", BELL);
    this.badge = make("b", { hidden: true });
    this.button = make("button", { type: "button", className: "quiet bell", ariaExpanded: "false", onclick: () => this.#open() }, icon, this.badge);
    this.list = make("ol");
    this.none = make("p", { className: "soft", textContent: "Nothing yet. What others do that concerns you comes here." });
    this.older = make("button", { type: "button", className: "quiet older", textContent: "Older", hidden: true, onclick: () => this.#more().catch(sayProblem) });
    this.readAll = make("button", { type: "button", className: "quiet read-all", textContent: "Read all", onclick: () => this.#readAll() });
    this.ways = make("details", { className: "ways" }, make("summary", { textContent: "How to be told" }), make("div"));
    this.ways.ontoggle = () => this.ways.open && this.#readWays().catch(sayProblem);
    this.panel = make("section", { className: "notices card", hidden: true, ariaLabel: "Notifications" },
      make("div", { className: "row" }, make("h2", { textContent: "Notifications" }), this.readAll), this.none, this.list, this.older, this.ways);
    this.spoken = make("p", { className: "unseen" });
    this.spoken.setAttribute("role", "status");
    element.replaceChildren(this.button, this.panel, this.spoken);
    this.away = (event) => !element.contains(event.target) && this.#open(false);
    this.escape = (event) => event.key === "Escape" && !this.panel.hidden && (this.#open(false), this.button.focus());
    document.addEventListener("pointerdown", this.away);
    document.addEventListener("keydown", this.escape); // the button that had the focus may just have been disabled
    this.count(0);
  }

  end() {
    this.#ended = true;
    document.removeEventListener("pointerdown", this.away);
    document.removeEventListener("keydown", this.escape);
    this.element.replaceChildren();
  }

  /** Read the newest and the number anew. */
  reread = folding(async () => {
    if (this.#ended) return;
    const told = {};
    const { items, next_cursor } = await this.api.get(`${PATH}?limit=${MOST}`, told);
    const { unread } = await this.api.get(`${PATH}/count`);
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#next = next_cursor;
    this.#heard = Number(told.roomSeq.split(":")[1]);
    this.count(unread);
    this.#draw();
  }, (problem) => problem.passes || sayProblem(problem));

  /** Whatever the connection tells; of one's own room every event counts, since a hole says that one was missed. */
  hear(message, room) {
    if (message.room !== room) return;
    if (message.type === "subscribed" || message.type === "reset") return void this.reread();
    if (Number.isInteger(message.seq)) {
      if (this.#heard === null || message.seq <= this.#heard) return;
      if (message.seq > this.#heard + 1) return void this.reread();
      this.#heard = message.seq;
    }
    switch (message.type) {
      case "notification_count":
        return this.count(message.unread);
      case "notification":
        this.spoken.textContent = message.payload.text;
        this.#items.set(message.id, message.payload);
        return this.#draw(message.id);
      case "notification_changed":
        if (this.#items.has(message.id)) this.#items.set(message.id, message.payload);
        return this.#draw();
      case "notification_withdrawn":
        this.#items.delete(message.id);
        return this.#draw();
      case "notification_read":
        for (const [id, item] of this.#items)
          if (message.all || message.notification_ids.includes(id)) this.#items.set(id, { ...item, read: true, read_at: item.read_at ?? message.read_at });
        return this.#draw();
    }
  }

  count(unread) {
    this.badge.hidden = !unread;
    this.badge.textContent = unread > 99 ? "99+" : unread;
    this.button.ariaLabel = unread ? `Notifications, ${unread} unread` : "Notifications";
    this.readAll.disabled = !unread;
  }

  tellTimes() {
    for (const time of this.list.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }

  #open(isOpen = this.panel.hidden) {
    this.panel.hidden = !isOpen;
    this.button.ariaExpanded = String(isOpen);
  }

  #draw(fresh) {
    const newest = [...this.#items.values()].sort((a, b) => (a.updated_at === b.updated_at ? (a.id < b.id ? 1 : -1) : a.updated_at < b.updated_at ? 1 : -1));
    const focused = this.list.contains(document.activeElement) && document.activeElement.closest("li").dataset.notification;
    this.list.replaceChildren(...newest.map((item) => this.#row(item, item.id === fresh)));
    if (focused) $(`[data-notification="${focused}"] button`, this.list)?.focus();
    this.none.hidden = newest.length > 0;
    this.older.hidden = !this.#next;
  }

  #row(item, isFresh) {
    const face = make("span", { className: "face" });
    face.setAttribute("aria-hidden", "true");
    if (item.actors.length) wear(face, item.actors[0]);
    else face.textContent = "✦";
    const said = item.kind === "announcement" ? [make("strong", { textContent: item.title }), " "] : [];
    const words = make("span", { dir: "auto" }, ...said, item.text, make("br"), make("time", { className: "soft", dateTime: item.updated_at, textContent: ago(item.updated_at) }));
    const button = make("button", { type: "button", className: "quiet", onclick: () => this.#read(item) }, face, words);
    if (!item.read) button.append(make("i", { className: "unread" }, make("span", { className: "unseen", textContent: "unread" })));
    const row = make("li", { className: isFresh ? "fresh" : "" }, button);
    row.dataset.notification = item.id;
    return row;
  }

  async #read(item) {
    try {
      if (!item.read) await this.api.request("PUT", `${PATH}/${item.id}/read`); // one's own room tells of it
    } catch (problem) {
      if (problem.code === "not_found") this.reread();
      else sayProblem(problem);
    }
    if (item.data.channel_id ?? (item.kind === "channel_added" && item.object_id)) location.hash = item.data.channel_id ?? item.object_id;
  }

  #readAll() {
    this.api.request("PUT", `${PATH}/read-all`).catch(sayProblem);
  }

  async #more() {
    const { items, next_cursor } = await this.api.get(`${PATH}?limit=${MOST}&cursor=${encodeURIComponent(this.#next)}`);
    for (const item of items) if (!this.#items.has(item.id)) this.#items.set(item.id, item);
    this.#next = next_cursor;
    this.#draw();
  }

  async #readWays() {
    const { preferences } = await this.api.get(`${PATH}/preferences`);
    $("div", this.ways).replaceChildren(...Object.entries(preferences).map(([kind, wanted]) => this.#wayRow(kind, wanted)));
  }

  #wayRow(kind, wanted) {
    const name = kind.replaceAll("_", " ");
    const boxes = Object.entries(WAYS).map(([way, word]) => {
      const box = make("input", { type: "checkbox", name: `${kind}.${way}`, checked: wanted[way] });
      box.onchange = async () => {
        try {
          await this.api.request("PUT", `${PATH}/preferences`, { body: { preferences: { [kind]: { [way]: box.checked } } } });
          say(`${name}: ${word} ${box.checked ? "on" : "off"}.`);
        } catch (problem) {
          box.checked = !box.checked;
          sayProblem(problem);
        }
      };
      return make("label", {}, box, word);
    });
    return make("fieldset", { className: "way" }, make("legend", { textContent: name }), ...boxes);
  }
}
