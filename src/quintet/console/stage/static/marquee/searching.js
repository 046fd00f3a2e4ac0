// Search as one types: what is found can be put into a tier with a button, or dragged there.

import * as api from "../shared/api.js";
import { say, sayProblem } from "../shared/account.js";
import { tileOf } from "./tiers.js";
import { TIERS, factsOf, otherTitle } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const PAUSE_MS = 160; // between two letters; who types on is not answered yet
const MOST = 6; // more would push the shelves out of sight

/**
 * `on` is asked `tierOf(media)`, and told `put(media, tier)` and `ponder(media)`, who wants help to find its place;
 * `may(why)` asks for a signed-in user. Answers `marked()`, which shows anew what is in the list already.
 */
export function listenToSearch(on) {
  let asked = 0;
  let pause = 0;
  let found = [];

  async function search() {
    const words = $("#query").value.trim();
    const mine = ++asked;
    if (!words) {
      $("#entering").hidden = true;
      return show([], "");
    }
    $("#found").setAttribute("aria-busy", "true");
    const slow = setTimeout(() => mine === asked && ($("#search-state").textContent = "Looking …"), 250);
    try {
      const { items, external } = await api.get(`/media/search?q=${encodeURIComponent(words)}&limit=${MOST}`);
      if (mine !== asked) return; // an older question's answer
      const few = external === "unavailable" ? " The big catalogue cannot be asked just now; this is what is known here." : "";
      show(items, (items.length ? `${items.length} found.` : `Nothing is called “${words}”.`) + few);
      offer(words, !items.length);
    } catch (problem) {
      if (mine !== asked) return;
      show([], "The search did not work just now. Type on to try again.");
      sayProblem(problem);
    } finally {
      clearTimeout(slow);
    }
  }

  function show(items, state) {
    found = items;
    $("#search-state").textContent = state;
    $("#found").removeAttribute("aria-busy");
    $("#found").replaceChildren(...items.map((media) => resultOf(media)));
    marked();
  }

  /** The form that enters what is not there. */
  function offer(words, isOpen) {
    const entering = $("#entering");
    entering.hidden = false;
    entering.open ||= isOpen;
    $("#enter").elements.title.value = words;
  }

  function resultOf(media) {
    const item = document.createElement("li");
    item.className = "result";
    const shelf = document.createElement("ul");
    const tile = tileOf(media);
    tile.firstChild.tabIndex = -1; // the buttons beside it do the same with keys
    tile.firstChild.setAttribute("aria-hidden", "true");
    shelf.append(tile);
    const about = document.createElement("div");
    about.dataset.still = "";
    const name = Object.assign(document.createElement("strong"), { textContent: media.title, dir: "auto" });
    const other = otherTitle(media);
    const facts = Object.assign(document.createElement("span"), { className: "soft", textContent: [factsOf(media), other].filter(Boolean).join(" · ") });
    about.append(name, facts, choicesFor(media));
    item.append(shelf, about);
    return item;
  }

  function choicesFor(media) {
    const choices = document.createElement("div");
    choices.className = "choices";
    for (const tier of TIERS) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: tier, className: `tier-${tier}` });
      button.dataset.media = media.id;
      button.setAttribute("aria-label", `${media.title} into tier ${tier}`);
      button.onclick = () => on.put(media, tier);
      choices.append(button);
    }
    const help = Object.assign(document.createElement("button"), { type: "button", textContent: "Help me place it", className: "quiet" });
    help.setAttribute("aria-label", `Help me find the place of ${media.title}`);
    help.onclick = () => on.ponder(media);
    choices.append(help);
    return choices;
  }

  function marked() {
    for (const media of found) {
      const tier = on.tierOf(media);
      for (const button of document.querySelectorAll(`#found button[data-media="${CSS.escape(media.id)}"]`))
        button.setAttribute("aria-pressed", button.textContent === tier);
    }
  }

  $("#query").oninput = () => {
    clearTimeout(pause);
    asked++; // whatever is on its way answers what is not asked any more
    pause = setTimeout(search, PAUSE_MS);
  };
  $("#search").onsubmit = (event) => {
    event.preventDefault();
    clearTimeout(pause);
    search();
  };
  $("#enter").onsubmit = async (event) => {
    event.preventDefault();
    if (!on.may("Sign in to enter a title.")) return;
    const { title, year, media_type } = Object.fromEntries(new FormData(event.target));
    const known = found.map((media) => media.id);
    try {
      const body = { title, media_type, ...(year && { year: Number(year) }) };
      const media = await api.post("/media/create_stub", { ...body, ...($("#enter").dataset.confirm === title && { confirm: true }) });
      delete $("#enter").dataset.confirm;
      show([media, ...found], "Entered. Which tier?");
      $("#entering").hidden = true;
    } catch (problem) {
      if (problem.code !== "looks_like") return sayProblem(problem);
      const candidates = problem.body.candidates.filter((media) => !known.includes(media.id));
      show([...candidates, ...found], "Is it one of these? If not, enter it once more.");
      event.target.dataset.confirm = title;
      say("There is something like it already.");
    }
  };
  return { marked, of: (mediaId) => found.find((media) => media.id === mediaId) };
}
