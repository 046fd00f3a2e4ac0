// "Help me place it": the server asks which of two is better, a few times, and knows where the new one belongs.

import * as api from "../shared/api.js";
import { sayProblem } from "../shared/account.js";
import { TIERS } from "./words.js";

const $ = (selector) => document.querySelector(selector);

/** Answers what asks about a film or play; `place(media, tier, beforeId)` is told where it belongs. */
export function listenToPlacing(place) {
  const dialog = $("#placing");

  function ask(media) {
    $("#placing-title").textContent = media.title;
    $("#placing-question").textContent = "How good is it, roughly?";
    offer(TIERS.map((tier) => [tier, () => compare(media, tier, []), `tier-${tier}`, `Tier ${tier}`]));
    dialog.showModal();
  }

  async function compare(media, tier, answers) {
    for (const button of $("#placing-answers").children) button.disabled = true; // until this is answered
    try {
      const told = await api.post("/rankings/compare", { media_id: media.id, tier, answers });
      if (!dialog.open) return;
      if (told.done) {
        dialog.close();
        return place(media, tier, told.before_id);
      }
      const other = told.compare_with;
      $("#placing-question").textContent = `Which is better? ${told.asked + 1} of at most ${told.at_most}.`;
      const with_ = (better) => () => compare(media, tier, [...answers, { ranking_id: other.id, better }]);
      offer([[media.title, with_(true)], [other.media.title, with_(false)]]);
    } catch (problem) {
      dialog.close();
      sayProblem(problem);
    }
  }

  function offer(choices) {
    const buttons = choices.map(([text, onclick, className = "", label = ""]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, className, onclick, dir: "auto" });
      if (label) button.setAttribute("aria-label", label);
      return button;
    });
    $("#placing-answers").replaceChildren(...buttons);
    if (dialog.open) buttons[0].focus();
  }

  return ask;
}
