// A new post: words, a sound, and what there is to know about it.

import { say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { $, clock } from "./drawing.js";
import { upload } from "./uploading.js";
import { drawWave } from "./waveform.js";

const MOST_BYTES = 50 * 1024 * 1024;

export class Composer {
  #audio = null; // what the server heard in the file, when it is there
  #sending = null; // the upload under way
  #channelId = null;

  /** `posted(post)` is told of every post made here. */
  constructor(posted) {
    this.posted = posted;
    this.form = $("#composer");
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.#post();
    };
    $("#pick").onclick = () => $("#post-file").click();
    $("#post-file").onchange = ({ target }) => {
      if (target.files[0]) this.#attach(target.files[0]);
      target.value = "";
    };
    $("#drop-audio").onclick = () => this.#detach();
    // Dropped anywhere on the form; and never opened by the browser, which would leave the page.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
    this.form.addEventListener("dragover", () => this.form.classList.add("over"));
    for (const name of ["dragleave", "drop"]) this.form.addEventListener(name, () => this.form.classList.remove("over"));
    this.form.addEventListener("drop", ({ dataTransfer }) => dataTransfer.files[0] && this.#attach(dataTransfer.files[0]));
    this.form.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.form.requestSubmit());
  }

  /** Post here from now on; null is outside of channels. What is begun stays. */
  show(channelId) {
    this.#channelId = channelId;
    this.form.hidden = false;
  }

  hide() {
    this.form.hidden = true;
  }

  async #attach(file) {
    this.#detach();
    if (file.size > MOST_BYTES) return say("A sound has at most 50 MiB.", "too_large");
    const sending = (this.#sending = new AbortController());
    $("#audio-state").hidden = false;
    $("#drop-hint").hidden = $("#pick").hidden = true;
    $("#upload").hidden = false;
    $("#audio-name").textContent = file.name;
    try {
      const audio = await upload(file, { progressed: (share) => ($("#upload").value = share), signal: sending.signal });
      this.#audio = audio;
      drawWave($("#audio-state .wave"), audio.waveform, 48);
      $("#upload").hidden = true;
      $("#audio-name").textContent = `${file.name}, ${clock(audio.duration_seconds)}`;
    } catch (problem) {
      if (sending.signal.aborted) return;
      this.#detach();
      sayProblem(problem);
    } finally {
      if (this.#sending === sending) this.#sending = null;
    }
  }

  #detach() {
    this.#sending?.abort(new Error("taken out"));
    this.#sending = this.#audio = null;
    $("#audio-state").hidden = true;
    $("#audio-state .wave").replaceChildren();
    $("#drop-hint").hidden = $("#pick").hidden = false;
    $("#upload").value = 0;
  }

  async #post() {
    if (this.#sending) return say("The sound is still on its way.");
    const { text, bpm, key, tags } = Object.fromEntries(new FormData(this.form));
    const body = {
      ...(text.trim() && { text: text.trim() }),
      ...(this.#audio && { audio_id: this.#audio.id }),
      ...(this.#channelId && { channel_id: this.#channelId }),
      ...(bpm && { bpm: Number(bpm) }),
      ...(key.trim() && { key: key.trim() }),
      ...(tags.trim() && { tags: tags.split(",").map((tag) => tag.trim().replace(/^#/, "")).filter(Boolean) }),
    };
    if (!body.text && !body.audio_id) return say("A post has words, or a sound, or both.");
    const button = $("#send-post");
    button.disabled = true;
    try {
      const post = await api.post("/api/v1/posts", body);
      this.form.reset();
      this.#detach();
      this.posted(post);
    } catch (problem) {
      sayProblem(problem);
    } finally {
      button.disabled = false;
    }
  }
}
