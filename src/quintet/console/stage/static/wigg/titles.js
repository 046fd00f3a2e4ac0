// The page of titles: search, the newest, and entering one that is missing.

import { get, onUser, post, user } from "../shared/api.js";
import { invite, say, sayProblem } from "../shared/account.js";
import { duration } from "./scale.js";

const $ = (selector) => document.querySelector(selector);
let asked = 0;
let pause = 0;

async function search() {
  const mine = ++asked;
  const words = $("#query").value.trim();
  try {
    const { items } = await get(`/api/titles?limit=24${words ? `&query=${encodeURIComponent(words)}` : ""}`);
    if (mine !== asked) return; // an older question's answer
    $("#found").replaceChildren(...items.map(card));
    $("#none").hidden = items.length > 0;
    $("#heading").textContent = words ? "Found" : "Newest";
  } catch (problem) {
    sayProblem(problem);
  }
}

function card(title) {
  const link = document.createElement("a");
  link.href = `/stage/wigg/${encodeURIComponent(title.id)}`;
  const name = Object.assign(document.createElement("strong"), { textContent: title.title });
  const length = title.total_length_seconds && duration(title.total_length_seconds);
  const facts = [title.kind, title.year, length].filter(Boolean).join(" · ");
  link.append(name, Object.assign(document.createElement("span"), { textContent: facts }));
  const item = document.createElement("li");
  item.append(link);
  return item;
}

$("#query").oninput = () => {
  clearTimeout(pause);
  pause = setTimeout(search, 180);
};
$("#search").onsubmit = (event) => {
  event.preventDefault();
  search();
};
$("#enter").onsubmit = async (event) => {
  event.preventDefault();
  if (!user()) return invite("Sign in to enter a title.");
  const { title, kind, year, minutes } = Object.fromEntries(new FormData(event.target));
  const body = { title, kind };
  if (year) body.year = Number(year);
  if (minutes) body.total_length_seconds = Number(minutes) * 60;
  try {
    const { id } = await post("/api/titles", body);
    location.assign(`/stage/wigg/${encodeURIComponent(id)}`);
  } catch (problem) {
    sayProblem(problem);
  }
};
onUser((now) => now && say(`Welcome, ${now.display_name || now.username}.`));
search();
