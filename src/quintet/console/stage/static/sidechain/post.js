// One post: its words, its sound, and what people do about it.

import { say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { ago } from "../shared/words.js";
import { Comments } from "./comments.js";
import { $, clock, colour, count, fromTemplate, make, nameOf, redraw, twice, wear } from "./drawing.js";
import { drawWave } from "./waveform.js";

const PALETTE = ["🔥", "🎧", "😍", "👏", "🤯", "💜", "🥁", "🎹"];
const STEP_SECONDS = 5; // that an arrow key goes

export class Post {
  #seconds = 0;

  /**
   * `player` plays it; `gone(id)` is told when it was deleted, which is offered where one `mayDelete(post)`;
   * `nameOfChannel(id)` where it stands elsewhere.
   */
  constructor(post, { player, gone, mayDelete, nameOfChannel }) {
    Object.assign(this, { post, player, gone, mayDelete, nameOfChannel });
    this.row = $(".post", fromTemplate("post-template"));
    this.row.dataset.post = post.id;
    this.comments = new Comments($(".talking", this.row), post);
    this.#drawOnce();
    if (post.audio) this.#drawSound();
    this.#listen();
    this.draw(post);
  }

  #drawOnce() {
    const { user, text, bpm, key, tags, channel_id: channelId, created_at: at } = this.post;
    wear($(".face", this.row), user);
    colour(this.row, user.id);
    $("strong", this.row).textContent = nameOf(user);
    Object.assign($("time", this.row), { dateTime: at, textContent: ago(at), title: new Date(at).toLocaleString() });
    $(".text", this.row).textContent = text ?? "";
    $(".text", this.row).hidden = !text;
    const where = $(".where", this.row);
    if (channelId && this.nameOfChannel) {
      where.hidden = false;
      where.href = `#${channelId}`;
      where.textContent = `in ${this.nameOfChannel(channelId) ?? "a channel"}`;
    }
    const facts = [bpm && `${bpm} bpm`, key, ...(tags ?? []).map((tag) => `#${tag}`)].filter(Boolean);
    $(".chips", this.row).replaceChildren(...facts.map((fact) => make("li", { textContent: fact, dir: "auto" })));
    $(".chips", this.row).hidden = !facts.length;
    $(".delete", this.row).hidden = !this.mayDelete(this.post);
    $(".palette div", this.row).replaceChildren(
      ...PALETTE.map((emoji) => make("button", { type: "button", className: "quiet", textContent: emoji, ariaLabel: `React with ${emoji}`, onclick: () => this.#react(emoji) })),
    );
  }

  /** Show what others did: a newer state of the same post. */
  draw(post) {
    Object.assign(this.post, post);
    const { like_count: likes, liked, comment_count: comments, reactions } = this.post;
    const like = $(".like", this.row);
    like.ariaPressed = String(Boolean(liked));
    like.title = liked ? "You like it" : "Like it";
    $("b", like).textContent = likes || "";
    $("b", $(".talk", this.row)).textContent = comments || "";
    redraw(
      $(".reactions", this.row),
      reactions.map((one) => {
        const chip = make("button", { type: "button", className: "reaction", onclick: () => this.#react(one.emoji) }, `${one.emoji} `, make("b", { textContent: one.count }));
        chip.dataset.key = one.emoji;
        chip.ariaPressed = String(Boolean(one.own));
        chip.ariaLabel = `${one.emoji}, ${count(one.count, "reaction")}`;
        return chip;
      }),
    );
  }

  #listen() {
    $(".like", this.row).onclick = () => this.#like();
    const talk = $(".talk", this.row);
    talk.onclick = () => {
      const opens = this.comments.box.hidden;
      talk.ariaExpanded = String(opens);
      if (opens) this.comments.open().catch(sayProblem);
      else this.comments.close();
    };
    twice($(".delete", this.row), "Delete?", () => api.remove(`/api/v1/posts/${this.post.id}`).then(() => this.gone(this.post.id), sayProblem));
  }

  /** At once here, and back again where the server says no. */
  async #like() {
    const { liked, like_count: likes } = this.post;
    this.draw({ liked: !liked, like_count: likes + (liked ? -1 : 1) });
    await api.request(liked ? "DELETE" : "PUT", `/api/v1/posts/${this.post.id}/like`).catch((problem) => {
      this.draw({ liked, like_count: likes });
      sayProblem(problem);
    });
  }

  async #react(emoji) {
    $(".palette", this.row).open = false;
    const before = this.post.reactions;
    const known = before.find((one) => one.emoji === emoji) ?? { count: 0, own: false };
    this.draw({ reactions: reacted(before, { emoji, count: known.count + (known.own ? -1 : 1), own: !known.own }) });
    await api.request(known.own ? "DELETE" : "PUT", `/api/v1/posts/${this.post.id}/reactions/${encodeURIComponent(emoji)}`).catch((problem) => {
      this.draw({ reactions: before });
      sayProblem(problem);
    });
  }

  // --- its sound

  #drawSound() {
    const { audio, user } = this.post;
    $(".track", this.row).hidden = false;
    for (const svg of this.row.querySelectorAll(".wave")) drawWave(svg, audio.waveform);
    const slider = $(".wave-box", this.row);
    slider.ariaValueMax = Math.ceil(audio.duration_seconds);
    const on = { post: this.post, moved: (seconds) => this.#moved(seconds), playing: (is) => this.#playing(is), failed: (words) => this.#failed(words) };
    $(".play", this.row).onclick = () => this.player.toggle(on);
    $(".play", this.row).ariaLabel = `Play what ${nameOf(user)} posted`;
    slider.onpointerdown = (event) => {
      if (event.button !== 0) return;
      const { left, width } = slider.getBoundingClientRect();
      this.player.toggle(on, Math.min(0.999, Math.max(0, (event.clientX - left) / width)) * audio.duration_seconds);
    };
    slider.onkeydown = (event) => {
      const end = audio.duration_seconds;
      const to = { ArrowRight: this.#seconds + STEP_SECONDS, ArrowUp: this.#seconds + STEP_SECONDS, ArrowLeft: this.#seconds - STEP_SECONDS, ArrowDown: this.#seconds - STEP_SECONDS, Home: 0, End: end }[event.key];
      if (to !== undefined) this.player.seek(on, Math.min(end, Math.max(0, to)));
      else if (event.key === " " || event.key === "Enter") this.player.toggle(on);
      else return;
      event.preventDefault();
    };
    this.#moved(0);
  }

  /** Its address is good for some hours: ask for a new one. */
  #failed(words) {
    say(words);
    api.get(`/api/v1/posts/${this.post.id}`).then((post) => this.draw(post), () => {});
  }

  #moved(seconds) {
    const total = this.post.audio.duration_seconds;
    this.#seconds = seconds;
    const slider = $(".wave-box", this.row);
    slider.style.setProperty("--played", Math.min(1, seconds / total));
    const words = clock(seconds || total);
    if ($(".time", this.row).textContent === words) return;
    $(".time", this.row).textContent = words;
    slider.ariaValueNow = Math.round(seconds);
    slider.ariaValueText = `${clock(seconds)} of ${clock(total)}`;
  }

  #playing(is) {
    this.row.classList.toggle("plays", is);
    $(".play", this.row).ariaLabel = `${is ? "Pause" : "Play"} what ${nameOf(this.post.user)} posted`;
  }
}

/** The reactions, one of them as it is now: `{emoji, count, own?}`; one that nobody gives is none. */
export function reacted(reactions, { emoji, count: number, own }) {
  const known = reactions.find((one) => one.emoji === emoji);
  const next = { emoji, count: number, own: own ?? known?.own ?? false };
  const all = known ? reactions.map((one) => (one === known ? next : one)) : [...reactions, next];
  return all.filter((one) => one.count > 0);
}
