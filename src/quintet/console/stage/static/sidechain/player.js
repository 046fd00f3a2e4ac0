// The one thing on the page that sounds. Whatever starts to play stops what played before.

import * as api from "../shared/api.js";

const SILENT = "This sound could not be played. Try it once more.";

export class Player {
  #audio = new Audio();
  #on = null; // what is told of the sound that plays: {post, moved(seconds), playing(whether), failed(words)}
  #toldPlaying = null; // the id of the post that the server believes to be playing here
  #telling = Promise.resolve(); // one after the other, so that the last word is the last
  #frame = 0;

  constructor() {
    this.#audio.preload = "none";
    for (const name of ["play", "pause", "ended"]) this.#audio.addEventListener(name, () => this.#changed());
    this.#audio.addEventListener("ended", () => this.#on?.moved(0));
    this.#audio.addEventListener("seeked", () => this.#on?.moved(this.#audio.currentTime));
    this.#audio.addEventListener("error", () => this.#audio.src && this.#on?.failed(SILENT));
    addEventListener("pagehide", () => this.stop());
  }

  isOf = (postId) => this.#on?.post.id === postId;
  get isPlaying() {
    return !this.#audio.paused && !this.#audio.ended;
  }

  /** Play a post's sound, or rest; `from` in seconds where given. */
  async toggle(on, from) {
    if (!this.isOf(on.post.id) || this.#audio.error) this.#take(on);
    else if (from === undefined && this.isPlaying) return this.#audio.pause();
    if (from !== undefined) this.#audio.currentTime = from;
    await this.#audio.play().catch((problem) => {
      if (problem.name !== "AbortError") on.failed(SILENT);
    });
  }

  /** Go to a place, playing or not. */
  seek(on, seconds) {
    if (!this.isOf(on.post.id)) this.#take(on);
    this.#audio.currentTime = seconds;
    on.moved(seconds);
  }

  get seconds() {
    return this.#audio.currentTime;
  }

  /** Be silent. */
  stop() {
    this.#audio.pause();
    this.#changed();
    this.#on = null;
  }

  #take(on) {
    this.stop();
    this.#on = on;
    // The address names the server by the name it has for itself; what is played comes from where the page does.
    const { pathname, search } = new URL(on.post.audio.url, location.href);
    this.#audio.src = pathname + search;
  }

  #changed() {
    if (!this.#on) return;
    this.#on.playing(this.isPlaying);
    this.#tell(this.isPlaying ? this.#on.post.id : null);
    cancelAnimationFrame(this.#frame);
    if (this.isPlaying) this.#follow();
  }

  #follow() {
    this.#frame = requestAnimationFrame(() => {
      this.#on?.moved(this.#audio.currentTime);
      if (this.isPlaying) this.#follow();
    });
  }

  /** Tell the server, and through it the others, what is heard here; whether it hears that is of no consequence. */
  #tell(postId) {
    if (postId === this.#toldPlaying) return;
    const before = this.#toldPlaying;
    this.#toldPlaying = postId;
    const say = (id, verb) => (this.#telling = this.#telling.then(() => api.post(`/api/v1/posts/${id}/${verb}`, undefined, { keepalive: true })).catch(() => {}));
    if (before) say(before, "stop");
    if (postId) say(postId, "play");
  }
}
