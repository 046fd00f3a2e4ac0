// The posts of a channel, or of one's feed: newest first, each drawn once and then kept true.

import { sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { ago } from "../shared/words.js";
import { $, nameOf } from "./drawing.js";
import { Post, reacted } from "./post.js";

const MOST = 20; // that are read at once

export class Posts {
  #posts = new Map(); // by id
  #next = null;
  #path = null;
  #options = {};
  #sought = null;

  constructor(player, people) {
    Object.assign(this, { player, people });
    $("#older").onclick = () => this.#more().catch(sayProblem);
    setInterval(() => this.#tellTimes(), 30_000);
    const close = (isOutside) => {
      for (const palette of document.querySelectorAll(".palette[open]")) if (isOutside(palette)) palette.open = false;
    };
    addEventListener("pointerdown", ({ target }) => close((palette) => !palette.contains(target)));
    addEventListener("keydown", ({ key }) => key === "Escape" && close(() => true));
  }

  /** Show another list from now on: that at `path`; `none` is said where there is nothing. */
  show(path, { none, nameOfChannel, isOwner = false }) {
    this.clear();
    this.#path = path;
    this.#options = { none, nameOfChannel, isOwner };
  }

  clear() {
    this.player.stop();
    this.#path = null;
    this.#posts.clear();
    this.#next = null;
    $("#posts").replaceChildren();
    $("#no-posts").hidden = true;
    $("#older").hidden = true;
  }

  /** Read the newest anew; what was shown is kept where it still is. */
  async read(told) {
    const path = this.#path;
    const { items, next_cursor } = await api.get(`${path}?limit=${MOST}`, told);
    if (path !== this.#path) return; // somebody has gone on meanwhile
    const ids = new Set(items.map((one) => one.id));
    const oldest = items.at(-1)?.id ?? "";
    for (const id of this.#posts.keys()) if (!ids.has(id) && (id >= oldest || !next_cursor)) this.#remove(id);
    if (!this.#posts.size || !next_cursor) this.#next = next_cursor;
    for (const one of items) this.#put(one);
    for (const one of this.#posts.values()) one.comments.reread().catch(() => {});
    this.#draw();
  }

  has = (id) => this.#posts.has(id);
  postOf = (id) => this.#posts.get(id)?.post;

  /** Look for a post, as soon as it is shown. */
  look(id) {
    this.#sought = id;
  }

  find() {
    const row = this.#posts.get(this.#sought)?.row;
    if (!row) return;
    this.#sought = null;
    row.scrollIntoView({ block: "center" });
    row.classList.remove("fresh");
    requestAnimationFrame(() => row.classList.add("fresh"));
  }

  /** A post that was made this moment. */
  take(post) {
    if (!this.#posts.has(post.id)) $("#news").textContent = `${nameOf(post.user)} has posted.`;
    this.#put(post, true);
    this.#draw();
  }

  drop(id) {
    this.#remove(id);
    this.#draw();
  }

  /** What a room tells of a post that is shown. Every event carries the count as it is from then on. */
  hear(event, ownId) {
    const shown = this.#posts.get(event.post_id);
    if (!shown) return;
    const own = event.user_id === ownId || undefined;
    switch (event.type) {
      case "post_liked":
      case "post_unliked":
      case "like_count_update":
        return shown.draw({ like_count: event.like_count, ...(own && event.type !== "like_count_update" && { liked: event.type === "post_liked" }) });
      case "new_reaction":
      case "reaction_removed":
        return shown.draw({ reactions: reacted(shown.post.reactions, { ...event, own: own && event.type === "new_reaction" }) });
      case "new_comment":
        shown.comments.take({ id: event.comment_id, text: event.text, created_at: event.created_at, user: { id: event.user_id, username: event.username, display_name: event.display_name } });
        return shown.draw({ comment_count: event.comment_count });
      case "comment_deleted":
        shown.comments.drop(event.comment_id);
        return shown.draw({ comment_count: event.comment_count });
    }
  }

  async #more() {
    const path = this.#path;
    const { items, next_cursor } = await api.get(`${path}?limit=${MOST}&cursor=${encodeURIComponent(this.#next)}`);
    if (path !== this.#path) return;
    this.#next = next_cursor;
    for (const one of items) this.#put(one);
    this.#draw();
  }

  #put(post, isFresh = false) {
    this.people.learn(post.user);
    const shown = this.#posts.get(post.id);
    if (shown) return shown.draw(post);
    const one = new Post(post, { player: this.player, gone: (id) => this.drop(id), mayDelete: (one) => this.#mayDelete(one), nameOfChannel: this.#options.nameOfChannel });
    one.row.classList.toggle("fresh", isFresh);
    this.#posts.set(post.id, one);
    // Ids are in the order of time: it goes before the first that is older.
    const older = [...$("#posts").children].find((row) => row.dataset.post < post.id);
    $("#posts").insertBefore(one.row, older ?? null);
  }

  #mayDelete({ user }) {
    const own = api.user();
    return user.id === own?.id || this.#options.isOwner || ["moderator", "admin"].includes(own?.role);
  }

  #remove(id) {
    if (this.player.isOf(id)) this.player.stop();
    this.#posts.get(id)?.row.remove();
    this.#posts.delete(id);
  }

  #draw() {
    $("#no-posts").hidden = this.#posts.size > 0;
    $("#no-posts").textContent = this.#options.none;
    $("#older").hidden = !this.#next;
    this.find();
  }

  #tellTimes() {
    for (const time of document.querySelectorAll("#posts time")) time.textContent = ago(time.dateTime);
  }
}
