// Who plays what right now, as far as the room tells.

import * as api from "../shared/api.js";
import { $, make, nameOf } from "./drawing.js";

const FORGOTTEN_MS = 15 * 60_000; // whose `playback_stopped` never came has gone long ago

export class Listening {
  #plays = new Map(); // by user id: {postId, timer}

  /** `userOf(id)` knows people, `postOf(id)` posts. */
  constructor({ userOf, postOf }) {
    Object.assign(this, { userOf, postOf });
  }

  clear() {
    for (const { timer } of this.#plays.values()) clearTimeout(timer);
    this.#plays.clear();
    this.draw();
  }

  hear({ type, user_id: userId, post_id: postId }) {
    if (userId === api.user()?.id) return; // who listens hears that
    const before = this.#plays.get(userId);
    if (type !== "playback_started" && before?.postId !== postId) return; // that one was over already
    this.#drop(userId);
    if (type === "playback_started") this.#plays.set(userId, { postId, timer: setTimeout(() => this.hear({ type: "", user_id: userId, post_id: postId }), FORGOTTEN_MS) });
    this.draw();
  }

  /** Who is not here any more listens to nothing here. */
  present(ids) {
    for (const userId of [...this.#plays.keys()]) if (!ids.has(userId)) this.#drop(userId);
    this.draw();
  }

  #drop(userId) {
    clearTimeout(this.#plays.get(userId)?.timer);
    this.#plays.delete(userId);
  }

  draw() {
    const plays = [...this.#plays];
    const box = $("#listening");
    box.hidden = !plays.length;
    if (!plays.length) return box.replaceChildren();
    const [userId, { postId }] = plays.at(-1);
    const post = this.postOf(postId);
    const what = !post ? "a post" : post.user.id === userId ? "their own sketch" : `what ${nameOf(post.user)} posted`;
    const more = plays.length > 1 ? `, and ${plays.length - 1} more ${plays.length === 2 ? "listens" : "listen"}` : "";
    const bars = make("i", { className: "bars", ariaHidden: "true" }, make("b"), make("b"), make("b"), make("b"));
    box.replaceChildren(bars, make("strong", { textContent: nameOf(this.userOf(userId)), dir: "auto" }), make("span", { textContent: `is listening to ${what}${more}` }));
  }
}
