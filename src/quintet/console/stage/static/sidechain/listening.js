// Who plays what right now, as far as the room tells.

import { $, make, nameOf } from "./drawing.js";

const FORGOTTEN_MS = 15 * 60_000; // whose `playback_stopped` never came has gone long ago

export class Listening {
  #plays = new Map(); // by user id: {words, timer}

  constructor(userOf) {
    this.userOf = userOf;
  }

  clear() {
    for (const { timer } of this.#plays.values()) clearTimeout(timer);
    this.#plays.clear();
    this.#draw();
  }

  /** `post` is what is played, where the page knows it. */
  hear({ type, user_id: userId, user }, post) {
    clearTimeout(this.#plays.get(userId)?.timer);
    this.#plays.delete(userId);
    if (type === "playback_started") {
      const who = nameOf(user ?? this.userOf(userId));
      const whose = post ? (post.user.id === userId ? "their own sketch" : `what ${nameOf(post.user)} posted`) : "a post";
      this.#plays.set(userId, { words: [who, ` is listening to ${whose}`], timer: setTimeout(() => this.hear({ type: "", user_id: userId }), FORGOTTEN_MS) });
    }
    this.#draw();
  }

  #draw() {
    const plays = [...this.#plays.values()];
    const box = $("#listening");
    box.hidden = !plays.length;
    if (!plays.length) return box.replaceChildren();
    const [who, what] = plays.at(-1).words;
    const more = plays.length > 1 ? `, and ${plays.length - 1} more ${plays.length === 2 ? "listens" : "listen"}` : "";
    const bars = make("i", { className: "bars" }, make("b"), make("b"), make("b"), make("b"));
    bars.setAttribute("aria-hidden", "true");
    box.replaceChildren(bars, make("strong", { textContent: who, dir: "auto" }), what + more);
  }
}
