// The bell: how many notifications wait, and what they say, as they come.

import { sayProblem } from "../shared/account.js";
import { folding } from "../shared/folding.js";
import { ago } from "../shared/words.js";
import { make } from "./drawing.js";

const MOST = 20; // that are read at once
const PATH = "/api/v1/notifications";
const OF_POSTS = ["post_liked", "new_comment", "new_reaction", "mention"];

/**
 * Fill `element` with the bell. `live` is a Live whose room `user:…` is joined, `api` is shared/api.js; `open(where)` is
 * told where one is to be shown: `{channel_id}` or `{post_id}`. Answers what ends it.
 */
export function mountNotifications(element, { api, live, open }) {
  const own = `user:${api.user().id}`;
  const badge = make("b", { hidden: true });
  const bell = make("button", { type: "button", className: "quiet bell" }, make("span", { textContent: "🔔", ariaHidden: "true" }), badge);
  const list = make("ol");
  const none = make("p", { className: "soft", textContent: "Nothing yet. When somebody likes, answers or mentions you, it stands here." });
  const all = make("button", { type: "button", className: "quiet", textContent: "Read all" });
  const older = make("button", { type: "button", className: "quiet", textContent: "Older", hidden: true });
  const panel = make("div", { className: "card bell-panel", popover: "auto" }, make("div", { className: "row" }, make("h2", { textContent: "Notifications" }), all), list, none, older);
  panel.setAttribute("aria-label", "Notifications");
  bell.popoverTargetElement = panel;
  const spoken = make("span", { className: "unseen", role: "status" });
  let items = new Map(); // by id
  let next = null;

  const readCount = folding(async () => count((await api.get(`${PATH}/count`)).unread), failed);
  const read = folding(async () => {
    const page = await api.get(`${PATH}?limit=${MOST}`);
    items = new Map(page.items.map((one) => [one.id, one]));
    next = page.next_cursor;
    draw();
  }, failed);

  function failed(problem) {
    if (!problem.passes) sayProblem(problem);
  }

  function count(unread) {
    badge.hidden = !unread;
    badge.textContent = unread > 99 ? "99+" : unread;
    bell.ariaLabel = unread ? `Notifications: ${unread} unread` : "Notifications";
    all.disabled = !unread;
  }

  function draw() {
    const newest = [...items.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    list.replaceChildren(...newest.map(row));
    none.hidden = newest.length > 0;
    older.hidden = !next;
  }

  function row(one) {
    const button = make("button", { type: "button", className: one.read ? "quiet" : "quiet unread", onclick: () => take(one) }, make("span", { textContent: one.text, dir: "auto" }), make("time", { className: "soft", dateTime: one.updated_at, textContent: ago(one.updated_at) }));
    if (!one.read) button.prepend(make("span", { className: "unseen", textContent: "Unread: " }));
    button.dataset.notification = one.id;
    return make("li", {}, button);
  }

  async function take(one) {
    panel.hidePopover();
    if (OF_POSTS.includes(one.kind)) open({ post_id: one.object_id });
    else if (one.kind === "channel_added") open({ channel_id: one.object_id });
    if (one.read) return;
    try {
      items.set(one.id, await api.put(`${PATH}/${one.id}/read`));
      draw();
    } catch (problem) {
      sayProblem(problem);
    }
  }

  all.onclick = async () => {
    try {
      await api.put(`${PATH}/read-all`);
      for (const [id, one] of items) items.set(id, { ...one, read: true });
      draw();
      count(0);
    } catch (problem) {
      sayProblem(problem);
    }
  };
  older.onclick = async () => {
    try {
      const page = await api.get(`${PATH}?limit=${MOST}&cursor=${encodeURIComponent(next)}`);
      for (const one of page.items) items.set(one.id, one);
      next = page.next_cursor;
      draw();
    } catch (problem) {
      sayProblem(problem);
    }
  };
  panel.addEventListener("toggle", ({ newState }) => newState === "open" && read());

  const end = live.listen((message) => {
    if (message.room !== own) return;
    switch (message.type) {
      case "subscribed": // whatever was missed is read
      case "reset":
        readCount();
        return panel.matches(":popover-open") && read();
      case "notification_count":
        return count(message.unread);
      case "notification":
        spoken.textContent = message.text;
        items.set(message.id, message);
        return draw();
      case "notification_changed":
        items.set(message.id, message);
        return draw();
      case "notification_withdrawn":
        items.delete(message.id);
        return draw();
      case "notification_read":
        for (const [id, one] of items) if (message.all || message.notification_ids.includes(id)) items.set(id, { ...one, read: true });
        return draw();
    }
  });

  element.replaceChildren(bell, panel, spoken);
  count(0);
  draw();
  readCount();
  return () => {
    end();
    element.replaceChildren();
  };
}
