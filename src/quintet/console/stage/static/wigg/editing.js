// Edit Graph Mode: one's edit session, strokes on their way to the server, and what can be undone.

import { Problem, post, request } from "../shared/api.js";
import { folded } from "./scale.js";

const SEND_EVERY_MS = 120; // the server takes ten strokes a second
const BEAT_MS = 5 * 60_000; // a session lasts half an hour without a sign of life

export class Editing {
  #title;
  #session = null;
  #beat = 0;
  #stroke = new Map(); // what is not sent yet, one pass per segment
  #tokens = []; // of the gesture under way
  #sending = null;
  #turning = Promise.resolve();
  #sentAt = -SEND_EVERY_MS;
  undoable = [];
  redoable = [];

  /** `painted(cells, segments)` hears what the server made of strokes, `changed()` when stacks change,
   *  `failed(problem)` what was refused, `entered(on)` when a session begins or ends. */
  constructor(titleId, listener) {
    this.#title = `/api/titles/${encodeURIComponent(titleId)}`;
    this.listener = listener;
  }

  get isOn() {
    return this.#session !== null;
  }
  get isBusy() {
    return this.#sending !== null;
  }

  /** The open session's id. A second caller while it begins gets the same. */
  enter() {
    this.#session ??= post(`${this.#title}/edit-sessions`).then(
      ({ id }) => {
        this.#beat = setInterval(() => this.#keep(id), BEAT_MS);
        return id;
      },
      (problem) => {
        this.#forget();
        throw problem;
      },
    );
    this.listener.entered(true);
    return this.#session;
  }

  #keep(id) {
    post(`${this.#title}/edit-sessions/${id}/heartbeat`).catch((problem) => problem.code === "session_ended" && this.#forget());
  }

  #forget() {
    clearInterval(this.#beat);
    this.#session = null;
    this.listener.entered(false);
  }

  /** End the session; also while the page is being left, which only a `keepalive` request outlives. */
  async leave({ leaving = false } = {}) {
    if (!this.#session) return;
    const session = this.#session;
    if (!leaving) await this.finish();
    const id = await session.catch(() => null);
    this.#forget();
    if (id) await post(`${this.#title}/edit-sessions/${id}/end`, undefined, { keepalive: true }).catch(() => {});
  }

  /** A finger passes over a segment. */
  pass(segments, segment_index, score, weight) {
    if (this.segments !== undefined && this.segments !== segments) this.#stroke.clear();
    this.segments = segments;
    this.#stroke.set(segment_index, folded(this.#stroke.get(segment_index), { segment_index, score, weight }));
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
  }

  /** The gesture is over: all of it is one step to undo. */
  async finish() {
    await this.#sending;
    if (this.#tokens.length) this.remember(this.#tokens);
    this.#tokens = [];
  }

  /** The first pass leaves at once; what follows is gathered for as long as the server wants. */
  async #send() {
    try {
      while (this.#stroke.size) {
        const pause = this.#sentAt + SEND_EVERY_MS - performance.now();
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        const session_id = await this.enter();
        const operations = [...this.#stroke.values()];
        const segments = this.segments;
        this.#stroke.clear();
        this.#sentAt = performance.now();
        const path = `${this.#title}/paint-batch?segments=${segments}`;
        const { cells, undo_token } = await post(path, { operations, session_id });
        this.#tokens.push(undo_token);
        // A segment that was passed again meanwhile is further than the server knows.
        this.listener.painted(cells.filter((one) => !this.#stroke.has(one.segment_index)), segments);
      }
    } catch (problem) {
      this.#stroke.clear();
      if (problem.code === "session_ended") this.#forget();
      this.listener.failed(problem);
    }
  }

  /** One or more undo tokens, oldest first, as one step. What was undone before cannot be redone any more. */
  remember(tokens) {
    this.undoable.push(tokens);
    this.redoable = [];
    this.listener.changed();
  }

  undo() {
    return this.#inTurn(() => this.#turn("undo", this.undoable, this.redoable));
  }

  redo() {
    return this.#inTurn(() => this.#turn("redo", this.redoable, this.undoable));
  }

  /** One after the other, however fast the keys are pressed: steps stand on each other. */
  #inTurn(act) {
    const turned = this.#turning.then(act);
    this.#turning = turned.catch(() => {});
    return turned;
  }

  /** Take the newest step off one stack, have the server turn it, and put what turns it back onto the other. */
  async #turn(verb, from, onto) {
    await this.finish();
    const tokens = from.pop();
    this.listener.changed();
    if (!tokens) return null;
    const back = [];
    const outcomes = new Set();
    for (const token of tokens.toReversed()) {
      try {
        const answer = await request("POST", `/api/${verb}/${token}`);
        outcomes.add(answer.outcome);
        const other = answer.redo_token ?? answer.undo_token;
        if (other) back.push(other);
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.passes) {
          from.push(tokens.slice(0, tokens.indexOf(token) + 1)); // nobody answered: it can be tried again
          if (back.length) onto.push(back);
          this.listener.changed();
          throw problem;
        }
        outcomes.add(problem.code); // token_used, token_expired: this step is spent
      }
    }
    if (back.length) onto.push(back);
    this.listener.changed();
    return outcomes.has("restored") && outcomes.size === 1 ? "restored" : [...outcomes].find((one) => one !== "restored");
  }
}
