// The page of one title: holds what is so, and brings together the curve, the hands, the room and the server.

import { invite, say, sayProblem } from "./account.js";
import * as api from "./api.js";
import { Curve } from "./curve.js";
import { Editing } from "./editing.js";
import { folding } from "./folding.js";
import { listen } from "./hands.js";
import { Live } from "./live.js";
import { after, drawMilestones, listenForMilestones } from "./milestones.js";
import { drawPeople } from "./people.js";
import { RATINGS, duration, moved, percent, segmentAt } from "./scale.js";
import { tellAnswer, tellPlace } from "./telling.js";
import { Waiting } from "./waiting.js";

const $ = (selector) => document.querySelector(selector);
const titleId = $("main").dataset.title;
const path = `/api/titles/${encodeURIComponent(titleId)}`;
const surface = $("#curve");
const curve = new Curve(surface);
const state = { title: null, progress: null, t2g: null, milestones: [], icons: {}, marks: [], cursor: 50 };
let rating = 1;
let count = 20;
let room, live, stream, waiting, editing;
let painted = new Map(); // own segments as the finger leaves them, until the server's curve shows them
let paintedVersion = 0;

// --- reading -----------------------------------------------------------------------------------------------------

// What a network that is away did not answer is read when it is back.
const unlessPassing = (problem) => problem.passes || sayProblem(problem);

const readCurve = folding(async () => {
  const told = {};
  const asked = count;
  const progress = await api.get(`${path}/progress?segments=${asked}`, told);
  if (asked !== count) return;
  state.progress = progress;
  room?.readAt("curve", told.roomSeq);
  if (!editing?.isBusy && progress.version >= paintedVersion) painted.clear();
  draw();
}, unlessPassing);

const readMarks = folding(async () => {
  if (!api.user()) return;
  const told = {};
  const { entries } = await api.get(`${path}/wiggs`, told);
  room?.readAt("marks", told.roomSeq);
  state.marks = entries;
  draw();
}, unlessPassing);

async function readMilestones() {
  const told = {};
  state.milestones = (await api.get(`${path}/milestones`, told)).items;
  room?.readAt("milestones", told.roomSeq);
  drawMilestones(state, moveTo);
  draw();
}

async function readTitle() {
  state.title = await api.get(path);
  const { title, kind, year, total_length_seconds: seconds } = state.title;
  document.title = `${title} – WIGG`;
  $("#title").textContent = title;
  $("#facts").textContent = [kind, year, seconds && duration(seconds)].filter(Boolean).join(" · ");
}

const readAll = () => Promise.all([readTitle(), readCurve(), readMarks(), readMilestones(), api.get(`${path}/t2g`).then(answerWith)]);

// --- showing -----------------------------------------------------------------------------------------------------

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
  const one = state.progress.segments[segmentAt(state.cursor, count)];
  tellPlace(surface, state.title, state.cursor, { ...one, user_score: painted.get(one.index) ?? one.user_score });
}

function moveTo(pct) {
  state.cursor = pct;
  if (!state.progress) return;
  curve.cursor(pct, state.progress);
  readOut();
}

// --- doing -------------------------------------------------------------------------------------------------------

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
  editing.pass(count, index, score, weight);
  draw();
}

async function turn(verb) {
  if (!editing) return;
  const outcome = await editing[verb]().catch(sayProblem);
  const words = { restored: verb === "undo" ? "Undone." : "Done again.", superseded: "Something newer is there; it stays.", partly_restored: "Undone where nothing newer is." };
  if (outcome) say(words[outcome] ?? "That cannot be turned back any more.", words[outcome] ? "" : outcome);
  painted.clear();
  readCurve();
  readMarks();
}

function choose(next) {
  rating = next;
  document.querySelector(`[name=rating][value="${next}"]`).checked = true;
}

listen(surface, curve, {
  segments: () => count,
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
  count = Number(event.target.value);
  painted.clear();
  readCurve();
};
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=radio])")) return;
  const key = event.key.toLowerCase();
  const verb = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
  if (verb) event.preventDefault(), turn(verb);
});
addEventListener("online", () => waiting?.send());
addEventListener("pagehide", () => editing?.leave({ leaving: true }));

// --- hearing -----------------------------------------------------------------------------------------------------

function heard(message, isNews) {
  const { type, user_id } = message;
  const isOwn = user_id === api.user()?.id;
  if (type === "t2g_updated") return answerWith(message);
  if (type === "title_changed") return void readTitle().catch(sayProblem);
  if (type.startsWith("milestone_")) {
    if (!isNews("milestones")) return;
    state.milestones = after(state.milestones, message);
    drawMilestones(state, moveTo);
    return draw();
  }
  if (type.startsWith("edit_mode_") || !isNews("curve")) return;
  if (!isOwn && (type === "wigg_placed" || type === "wigg_moved")) curve.ripple(message);
  if (!isOwn && type === "segments_painted") curve.tint(message);
  if (!isOwn && type === "segment_painted") curve.tint({ ...message, cells: [message] });
  if (type.startsWith("action_")) curve.untint(user_id);
  readCurve();
  if (isOwn) readMarks(); // perhaps done in another tab
}

function begin(user) {
  live?.close();
  stream?.close();
  waiting?.stop();
  live = room = stream = waiting = editing = undefined;
  state.marks = [];
  painted.clear();
  drawPeople($("#people"), [], "");
  $("#guest").hidden = Boolean(user);
  $("#state").textContent = user ? "connecting" : "looking";
  showEditing(false);
  if (!user) {
    stream = new EventSource(`${path}/t2g/stream`);
    stream.addEventListener("t2g_updated", ({ data }) => (answerWith(JSON.parse(data)), readCurve()));
    return;
  }
  editing = new Editing(titleId, { painted: strokeTold, changed: showStacks, failed: strokeRefused, entered: showEditing });
  waiting = new Waiting(user.id, titleId, {
    placed: (mark, answer) => (state.marks.push(answer), readMarks(), readCurve(), say(`Marked ${percent(answer.position_pct)}.`)),
    refused: (mark, problem) => (sayProblem(problem), draw()),
    undo: (token) => editing.remember([token]),
  });
  live = new Live({
    ticket: async (fresh) => (fresh && (await api.renew()), (await api.post("/ws/ticket")).ticket),
    token: () => api.token({ fresh: true }),
    state: (word) => {
      $("#state").textContent = word;
      $("#state").dataset.state = word;
      if (word === "live") waiting.send();
    },
  });
  room = live.join(`title:${titleId}`, {
    event: heard,
    reread: () => readAll().catch(sayProblem),
    people: (list) => drawPeople($("#people"), list, user.id),
    refused: (code) => say("This title is not there (any more).", code),
  });
  room.say("viewing");
}

function strokeTold(cells, segments) {
  if (segments !== count) return;
  for (const { segment_index, new_score, version } of cells) {
    painted.set(segment_index, new_score);
    paintedVersion = Math.max(paintedVersion, version);
  }
  readCurve();
}

function strokeRefused(problem) {
  painted.clear();
  draw();
  sayProblem(problem);
}

function showStacks() {
  $("#undo").disabled = !editing.undoable.length;
  $("#redo").disabled = !editing.redoable.length;
}

function showEditing(on) {
  $("#edit").setAttribute("aria-pressed", on);
  surface.classList.toggle("editing", on);
  room?.say(on ? "editing" : "viewing");
  if (!editing) $("#undo").disabled = $("#redo").disabled = true;
}

choose(rating);
try {
  state.icons = Object.fromEntries((await api.get("/api/milestone-icons")).items.map(({ name, emoji }) => [name, emoji]));
  listenForMilestones(titleId, state, may);
  api.onUser((user) => (begin(user), readAll().catch(sayProblem)));
  begin(api.user());
  await readAll();
  waiting?.send();
} catch (problem) {
  $("#title").textContent = problem.code === "not_found" ? "No such title" : "Not just now";
  sayProblem(problem);
}
