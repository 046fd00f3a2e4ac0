// One title of the list, opened: its note, its tier, and taking it out.

import { factsOf, otherTitle } from "./words.js";

const $ = (selector) => document.querySelector(selector);

/** `on` is told `note(ranking, text)`, `move(ranking, tier)` and `remove(ranking)`. Answers what opens the form. */
export function listenToDetails(on) {
  const dialog = $("#details");
  const form = dialog.querySelector("form");
  let ranking = null;

  form.onsubmit = (event) => {
    const { tier, note } = Object.fromEntries(new FormData(form));
    if (event.submitter?.value === "remove") return on.remove(ranking);
    if (note !== (ranking.note ?? "")) on.note(ranking, note.trim() ? note : null);
    if (tier !== ranking.tier) on.move(ranking, tier);
  };

  return (one) => {
    ranking = one;
    $("#details-title").textContent = one.media.title;
    $("#details-facts").textContent = [factsOf(one.media), otherTitle(one.media), `score ${one.score.toFixed(2)}`].filter(Boolean).join(" · ");
    form.elements.note.value = one.note ?? "";
    form.elements.tier.value = one.tier;
    dialog.showModal();
  };
}
