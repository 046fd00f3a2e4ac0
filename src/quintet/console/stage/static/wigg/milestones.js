// The list of a title's milestones, and the form that adds one at the cursor.

import { post } from "../shared/api.js";
import { say, sayProblem } from "../shared/account.js";
import { duration, percent } from "./scale.js";

const $ = (selector) => document.querySelector(selector);
const USUAL = ["star", "fire", "twist", "boss", "laugh", "cry", "gasp", "music", "rocket", "heart", "skull", "zzz"];

/** The list with what an event says: old state and event make the new one. */
export function after(milestones, { type, milestone }) {
  const rest = milestones.filter((one) => one.id !== milestone.id);
  if (type !== "milestone_removed") rest.push(milestone);
  return rest.sort((a, b) => a.pct - b.pct);
}

export function drawMilestones(state, goTo) {
  const seconds = state.title?.total_length_seconds;
  const rows = state.milestones.map((one) => {
    const row = document.createElement("button");
    row.type = "button";
    row.onclick = () => goTo(one.pct);
    for (const [name, text] of [
      ["icon", state.icons[one.icon] ?? "•"],
      ["label", one.label + (one.verified ? " ✓" : "")],
      ["at", seconds ? duration((seconds * one.pct) / 100) : percent(one.pct)],
    ]) row.append(Object.assign(document.createElement("span"), { className: name, textContent: text }));
    const item = document.createElement("li");
    item.append(row);
    return item;
  });
  $("#milestones").replaceChildren(...rows);
  $("#no-milestones").hidden = rows.length > 0;
}

export function listenForMilestones(titleId, state, may) {
  $("#icons").replaceChildren(
    ...USUAL.filter((name) => state.icons[name]).map((name, index) => {
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "icon", value: name, defaultChecked: !index });
      const label = document.createElement("label");
      label.title = name;
      input.setAttribute("aria-label", name);
      label.append(input, Object.assign(document.createElement("span"), { textContent: state.icons[name] }));
      return label;
    }),
  );
  $("#new-milestone").onsubmit = async (event) => {
    event.preventDefault();
    if (!may("Sign in to name a moment.")) return;
    const { label, icon } = Object.fromEntries(new FormData(event.target));
    try {
      const made = await post(`/api/titles/${encodeURIComponent(titleId)}/milestones`, { pct: state.cursor ?? 0, label, icon });
      say(`“${made.label}” stands at ${percent(made.pct)}.`);
      event.target.reset();
    } catch (problem) {
      sayProblem(problem);
    }
  };
}
