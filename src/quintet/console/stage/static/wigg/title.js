// The page of one title: holds what is so, and brings together the curve, the hands, the room and the server.

import { invite, say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { Curve } from "./curve.js";
import { Editing } from "./editing.js";
import { listen } from "./hands.js";
import { hear } from "./hearing.js";
import { after, drawMilestones, listenForMilestones } from "./milestones.js";
import { drawPeople } from "./people.js";
import { readings } from "./reading.js";
import { RATINGS, moved, percent, segmentAt } from "./scale.js";
import { tellAnswer, tellPlace, tellTitle } from "./telling.js";
import { Waiting } from "./waiting.js";

const $ = (selector) => document.querySelector(selector);
const titleId = $("main").dataset.title;
const surface = $("#curve");
const curve = new Curve(surface);
const state = { title: null, progress: null, t2g: null, milestones: [], icons: {}, marks: [], cursor: 50, count: 20 };
let rating = 1;
let room, waiting, editing;
let painted = new Map(); // own segments as the finger leaves them, until the server's curve shows them
let paintedVersion = 0;

const read = readings(titleId, state, {
  readAt: (what, roomSeq) => room?.readAt(what, roomSeq),
  curve: () => {
    // What the finger left stays on top until a curve is read that shows it.
    if (!editing?.isBusy && state.progress.version >= paintedVersion) painted.clear();
    draw();
  },
  marks: draw,
  milestones: () => (drawMilestones(state, moveTo), draw()),
  title: () => (tellTitle(state.title), draw()),
  t2g: answerWith,
});

// --- showing

function draw() {
  if (!state.progress) return;
  const segments = state.progress.segments.map((one) => (painted.has(one.index) ? { ...one, user_score: painted.get(one.index) } : one));
  const waits = waiting?.all().map((mark) => ({ ...mark, waits: true })) ?? [];
  curve.draw({ ...state, progress: { ...state.progress, segments }, marks: [...state.marks, ...waits] });
  $("#waits").hidden = !waits.length;
  $("#waits").textContent = waits.length === 1 ? "1 mark waits to be sent" : `${waits.length} marks wait to be sent`;
  readOut();
}

function answerWith(t2g) {
  if (t2g.revision < (state.t2g?.revision ?? 0)) return; // an older answer that was longer on its way
  state.t2g = t2g;
  tellAnswer(t2g);
  draw();
}

function readOut() {
  // Another number of segments may be chosen before its curve is here.
  const { segments } = state.progress;
  const one = segments[segmentAt(state.cursor, segments.length)];
  tellPlace(surface, state.title, state.cursor, { ...one, user_score: painted.get(one.index) ?? one.user_score });
}

function moveTo(pct) {
  state.cursor = pct;
  if (!state.progress) return;
  curve.cursor(pct, state.progress);
  readOut();
}

// --- doing

function may(why) {
  if (!api.user()) invite(why);
  return Boolean(api.user());
}

async function markAt(pct) {
  moveTo(pct);
  if (!may("Sign in to mark where it gets good.")) return;
  const mark = { position_pct: Number(pct.toFixed(4)), rating, optimistic_id: crypto.randomUUID(), created_at: new Date().toISOString() };
  try {
    waiting.add(mark);
  } catch (full) {
    return say(full.message);
  }
  draw();
  if (!(await waiting.send())) say("Your mark waits here until the server can be reached.");
}

function pass(index, score, weight) {
  if (!may("Sign in to paint the curve.")) return;
  const before = painted.get(index) ?? state.progress.segments[index]?.user_score;
  painted.set(index, moved(before, score, weight));
  editing.pass(state.count, index, score, weight);
  draw();
}

async function turn(verb) {
  if (!editing) return;
  const outcome = await editing[verb]().catch(sayProblem);
  const words = { restored: verb === "undo" ? "Undone." : "Done again.", superseded: "Something newer is there; it stays.", partly_restored: "Undone where nothing newer is." };
  if (outcome) say(words[outcome] ?? "That cannot be turned back any more.", words[outcome] ? "" : outcome);
  painted.clear();
  read.curve();
  read.marks();
}

function choose(next) {
  rating = next;
  document.querySelector(`[name=rating][value="${next}"]`).checked = true;
}

listen(surface, curve, {
  segments: () => state.count,
  cursor: () => state.cursor,
  isEditing: () => editing?.isOn ?? false,
  ownScore: (index) => painted.get(index) ?? state.progress?.segments[index]?.user_score,
  hover: moveTo,
  tap: markAt,
  pass,
  lift: () => editing?.finish(),
  rate: (exactly, step) => {
    choose(exactly ?? Math.min(3, Math.max(0, rating + step)));
    say(`Rating: ${RATINGS[rating].name}.`);
  },
  key: () => $("#edit").click(),
});
$("#edit").onclick = () => {
  if (!may("Sign in to paint the curve.")) return;
  if (editing.isOn) editing.leave();
  else editing.enter().catch(sayProblem);
};
$("#undo").onclick = () => turn("undo");
$("#redo").onclick = () => turn("redo");
$("#ratings").onchange = (event) => (rating = Number(event.target.value));
$("#counts").onchange = (event) => {
  state.count = Number(event.target.value);
  painted.clear();
  read.curve();
};
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=radio])")) return;
  const key = event.key.toLowerCase();
  const verb = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
  if (verb) event.preventDefault(), turn(verb);
});
addEventListener("online", () => waiting?.send());
addEventListener("pagehide", () => editing?.leave({ leaving: true }));

// --- hearing

const hearing = {
  t2g: answerWith,
  title: () => read.title().catch(sayProblem),
  milestone: (event) => {
    state.milestones = after(state.milestones, event);
    drawMilestones(state, moveTo);
    draw();
  },
  others: (event) => {
    if (["wigg_placed", "wigg_moved", "wigg_changed"].includes(event.type)) curve.ripple(event);
    else if (event.type === "segments_painted") curve.tint(event);
    else if (event.type === "segment_painted") curve.tint({ ...event, cells: [event] });
    else if (event.type === "action_undone" || event.type === "action_redone") curve.untint(event.user_id);
  },
  curve: read.curve,
  own: read.marks,
  reread: () => read.all().catch(sayProblem),
  people: (list) => drawPeople($("#people"), list, api.user()?.id),
  state: (word) => {
    $("#state").textContent = $("#state").dataset.state = word;
    if (word === "live") waiting.send();
  },
  gone: (code) => say("This title is not there (any more).", code),
};

/** Begin anew as somebody, or as nobody in particular. */
function begin(user) {
  room?.close();
  waiting?.stop();
  waiting = editing = undefined;
  state.marks = [];
  painted.clear();
  hearing.people([]);
  $("#guest").hidden = Boolean(user);
  if (user) {
    editing = new Editing(titleId, { painted: strokeTold, changed: showStacks, failed: strokeRefused, entered: showEditing });
    waiting = new Waiting(user.id, titleId, { placed: markTold, refused: markRefused, undo: (token) => editing.remember([token]) });
  }
  room = hear(titleId, user, hearing);
  showEditing(false);
  showStacks();
}

function markTold(mark, answer) {
  state.marks.push(answer);
  read.marks(); // it may have been merged into another
  read.curve();
  say(`Marked ${percent(answer.position_pct)}.`);
}

function markRefused(mark, problem) {
  draw();
  sayProblem(problem);
}

function strokeTold(cells, segments) {
  if (segments !== state.count) return;
  for (const { segment_index, new_score, version } of cells) {
    painted.set(segment_index, new_score);
    paintedVersion = Math.max(paintedVersion, version); // only a curve as new as this may take its place
  }
  read.curve();
}

function strokeRefused(problem) {
  painted.clear();
  draw();
  sayProblem(problem);
}

function showStacks() {
  $("#undo").disabled = !editing?.undoable.length;
  $("#redo").disabled = !editing?.redoable.length;
}

function showEditing(on) {
  $("#edit").setAttribute("aria-pressed", on);
  surface.classList.toggle("editing", on);
  room.say(on ? "editing" : "viewing");
}

choose(rating);
try {
  state.icons = Object.fromEntries((await api.get("/api/milestone-icons")).items.map(({ name, emoji }) => [name, emoji]));
  listenForMilestones(titleId, state, may);
  api.onUser((user) => (begin(user), read.all().catch(sayProblem)));
  begin(api.user());
  await read.all();
  waiting?.send();
} catch (problem) {
  $("#title").textContent = problem.code === "not_found" ? "No such title" : "Not just now";
  sayProblem(problem);
}
