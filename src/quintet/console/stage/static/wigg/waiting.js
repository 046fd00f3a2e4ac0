// Marks that could not be sent yet. Each is written down before it is sent and crossed out after the answer, so
// that neither a dead network nor a closed tab loses one; its `optimistic_id` lets the server know it again, so
// that none is placed twice, however often and from however many tabs it is sent.

import { post } from "../shared/api.js";

const MOST = 100; // what one batch may hold
const AGAIN_MS = 5000;

export class Waiting {
  #prefix;
  #path;
  #busy = null;
  #again = 0;

  /** `placed(mark, answer)` and `refused(mark, problem)` are told of each; `undo(token)` of each batch. */
  constructor(userId, titleId, { placed, refused, undo }) {
    // One entry per mark: two tabs never overwrite each other's list.
    this.#prefix = `wigg.waiting.${userId}.${titleId}.`;
    this.#path = `/api/titles/${encodeURIComponent(titleId)}/wiggs`;
    Object.assign(this, { placed, refused, undo });
  }

  /** What waits, oldest first. */
  all() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
    const marks = keys.map((key) => JSON.parse(localStorage.getItem(key)));
    return marks.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  }

  add(mark) {
    if (this.all().length >= MOST) throw new Error(`${MOST} marks wait already; come back online first.`);
    localStorage.setItem(this.#prefix + mark.optimistic_id, JSON.stringify(mark));
  }

  #done(mark) {
    localStorage.removeItem(this.#prefix + mark.optimistic_id);
  }

  /** Send what waits; true where nothing is left. One at a time: callers in between join the one under way. */
  send() {
    clearTimeout(this.#again);
    this.#busy ??= this.#send().finally(() => (this.#busy = null));
    return this.#busy;
  }

  async #send() {
    for (;;) {
      const marks = this.all();
      if (!marks.length) return true;
      try {
        if (marks.length === 1) await this.#one(marks[0]);
        else await this.#batch(marks);
      } catch (problem) {
        if (problem.passes) this.#again = setTimeout(() => this.send(), AGAIN_MS); // or when somebody sees it back
        if (problem.passes || problem.status === 401) return false;
        if (marks.length === 1) this.#drop(marks[0], problem);
        else for (const mark of marks) if (!(await this.#alone(mark))) return false;
      }
    }
  }

  async #one(mark) {
    const answer = await post(this.#path, mark);
    this.#done(mark);
    this.placed(mark, answer);
    this.undo(answer.undo_token);
  }

  async #batch(marks) {
    const { items, undo_token } = await post(`${this.#path}/batch`, { wiggs: marks });
    marks.forEach((mark, index) => {
      this.#done(mark);
      this.placed(mark, items[index]);
    });
    this.undo(undo_token);
  }

  /** A batch is all or nothing: find the one that spoils it. */
  async #alone(mark) {
    try {
      await this.#one(mark);
    } catch (problem) {
      if (problem.passes || problem.status === 401) return false;
      this.#drop(mark, problem);
    }
    return true;
  }

  /** Somebody else signs in: what waits stays written down for whom it is of. */
  stop() {
    clearTimeout(this.#again);
  }

  #drop(mark, problem) {
    this.#done(mark);
    this.refused(mark, problem);
  }
}
