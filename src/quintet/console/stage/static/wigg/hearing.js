// What the page hears of its title: everything for who is signed in, the time to good for everybody else.

import * as api from "../shared/api.js";
import { Live } from "../shared/live.js";

/**
 * Hear of a title as `user`, or as a stranger. `on` is told `t2g(answer)`, `title()`, `milestone(event)`,
 * `others(event)` of other people's hands, `curve()` and `own()` where these are other than shown, `reread()`,
 * `people(list)`, `state(word)` and `gone(code)`. Answers `readAt`, `say` and `close`.
 */
export function hear(titleId, user, on) {
  if (!user) {
    const stream = new EventSource(`/api/titles/${encodeURIComponent(titleId)}/t2g/stream`); // comes back by itself
    stream.addEventListener("t2g_updated", ({ data }) => (on.t2g(JSON.parse(data)), on.curve()));
    on.state("looking");
    return { readAt() {}, say() {}, close: () => stream.close() };
  }
  const live = new Live({
    ticket: async (fresh) => {
      if (fresh) await api.renew();
      return (await api.post("/ws/ticket")).ticket;
    },
    token: () => api.token({ fresh: true }),
    state: on.state,
  });
  const event = (message, isNews) => {
    const { type, user_id } = message;
    if (type === "t2g_updated") return on.t2g(message);
    if (type === "title_changed") return on.title();
    if (type.startsWith("milestone_")) return isNews("milestones") && on.milestone(message);
    if (type.startsWith("edit_mode_")) return; // presence tells it, too
    if (user_id !== user.id) on.others(message);
    else if (isNews("marks")) on.own(); // this tab knows; another tab of one's own may not
    if (isNews("curve")) on.curve();
  };
  const room = live.join(`title:${titleId}`, { event, reread: on.reread, people: on.people, refused: on.gone });
  return {
    readAt: (what, roomSeq) => room.readAt(what, roomSeq),
    say: (mode) => room.say(mode),
    close: () => live.close(),
  };
}
