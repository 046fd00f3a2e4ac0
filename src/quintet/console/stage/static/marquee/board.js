// The leaderboard: what everybody, or those one follows, rank highest.

import * as api from "../shared/api.js";
import { invite, sayProblem } from "../shared/account.js";
import { folding } from "../shared/folding.js";

const $ = (selector) => document.querySelector(selector);
const MOST = 10;
const PAUSE_MS = 1000;

/** A function that reads and draws the board; however often it is called, once a second at most. */
export function listenToBoard() {
  const form = $("#board-choices");
  let asked = 0;

  const read = folding(async () => {
    const mine = ++asked;
    const choices = new URLSearchParams(new FormData(form));
    const { items } = await api.get(`/social/leaderboard?${choices}&limit=${MOST}`);
    if (mine !== asked) return;
    $("#board").replaceChildren(...items.map(rowOf));
    $("#no-board").hidden = items.length > 0;
  }, (problem) => problem.passes || sayProblem(problem), PAUSE_MS);

  form.onchange = () => {
    if (form.elements.scope.value === "following" && !api.user()) {
      form.elements.scope.value = "everyone";
      return invite("Sign in to see what those you follow rank highest.");
    }
    asked++;
    return read();
  };
  form.onsubmit = (event) => event.preventDefault();
  return read;
}

function rowOf({ media, user, score, count }) {
  const row = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { className: "name", dir: "auto" });
  name.textContent = media ? media.title + (media.year ? ` (${media.year})` : "") : user.display_name || user.username;
  const titles = count === 1 ? "1 title" : `${count} titles`;
  const voices = count === 1 ? "1 person" : `${count} people`;
  const figure = document.createElement("span");
  figure.className = "figure";
  if (media) figure.append(Object.assign(document.createElement("b"), { textContent: score.toFixed(2) }), ` ${voices}`);
  else figure.append(titles);
  row.append(name, figure);
  return row;
}
