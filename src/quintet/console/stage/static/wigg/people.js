// Who else is here. The room tells ids and modes, not names: everybody gets a colour that is theirs everywhere.

import { hueOf } from "../shared/words.js";

const MOST_SHOWN = 12;

export function drawPeople(list, people, ownId) {
  const others = people.filter((one) => one.user_id !== ownId);
  list.querySelector("ul").replaceChildren(...others.slice(0, MOST_SHOWN).map(face));
  const editing = others.filter((one) => one.mode === "editing").length;
  const words = !others.length ? "Nobody else is here" : others.length === 1 ? "1 other is here" : `${others.length} others are here`;
  list.querySelector("p").textContent = words + (editing ? `, ${editing} painting` : "");
}

function face({ user_id, mode }) {
  const item = document.createElement("li");
  item.className = `face hue-${hueOf(user_id)}${mode === "editing" ? " editing" : ""}`;
  item.dataset.user = user_id;
  item.dataset.mode = mode ?? "";
  item.textContent = user_id.slice(-2);
  item.title = mode === "editing" ? "is painting" : "is looking";
  return item;
}
