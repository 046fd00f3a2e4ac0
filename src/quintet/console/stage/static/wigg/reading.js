// Reading a title over HTTP into the page's `state`, and noting how far in the room each reading goes.

import * as api from "../shared/api.js";
import { sayProblem } from "../shared/account.js";
import { folding } from "../shared/folding.js";

// What a network that is away did not answer is read when it is back.
const unlessPassing = (problem) => problem.passes || sayProblem(problem);

/** Functions that read the `curve`, one's own `marks`, the `milestones`, the `title`, or `all`. `on` is told what
 *  was read: `on.curve()`, `on.marks()` …, and `on.readAt(what, roomSeq)`; `state.count` is the number of segments. */
export function readings(titleId, state, on) {
  const path = `/api/titles/${encodeURIComponent(titleId)}`;

  async function read(what, address) {
    const told = {};
    const answer = await api.get(path + address, told);
    on.readAt(what, told.roomSeq);
    return answer;
  }

  const curve = folding(async () => {
    const { count } = state;
    const progress = await read("curve", `/progress?segments=${count}`);
    if (count !== state.count) return; // another number was chosen meanwhile, and is read next
    state.progress = progress;
    on.curve();
  }, unlessPassing);

  const marks = folding(async () => {
    if (!api.user()) return;
    state.marks = (await read("marks", "/wiggs")).entries;
    on.marks();
  }, unlessPassing);

  async function milestones() {
    state.milestones = (await read("milestones", "/milestones")).items;
    on.milestones();
  }

  async function title() {
    state.title = await api.get(path);
    on.title();
  }

  const t2g = async () => on.t2g(await api.get(`${path}/t2g`));
  const all = () => Promise.all([title(), curve(), marks(), milestones(), t2g()]);
  return { curve, marks, title, all };
}
