// Titles under the keyboard: arrows go from one to the next; lifted with Space, arrows move it. All is spoken.

import { rove } from "./tiers.js";
import { TIERS, placeOf } from "./words.js";

/** `act` is told `lift(tile)` (false refuses), `drop(tile, tier, beforeId)`, `cancel()`, `remove(tile)`, `speak(text)`. */
export function listenToKeys(root, act) {
  let lifted = null;
  let isMoving = false; // a tile that is moved loses the focus for a moment

  root.addEventListener("keydown", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === " ") lifted ? drop() : lift(tile);
    else if (arrow) lifted ? move(...arrow) : go(tile, ...arrow);
    else if (event.key === "Escape" && lifted) cancel();
    else if (event.key === "Delete" && !lifted) leave(tile);
    else if (event.key === "Home" || event.key === "End") lifted || focus(tile.parentElement[event.key === "Home" ? "firstElementChild" : "lastElementChild"]);
    else return;
    event.preventDefault();
  });
  // A button takes a released Space for a click.
  root.addEventListener("keyup", (event) => event.key === " " && event.target.closest(".tile") && event.preventDefault());
  root.addEventListener("focusin", (event) => {
    const tile = event.target.closest(".tile");
    if (tile) rove(tile.parentElement, tile);
  });
  root.addEventListener("focusout", () => lifted && !isMoving && cancel());

  function lift(tile) {
    if (!act.lift(tile)) return;
    lifted = tile;
    tile.classList.add("lifted");
    act.speak(`${nameOf(tile)} is lifted, ${where(tile)}. Arrows move it, Space drops it, Escape puts it back.`);
  }

  function move(rows, columns) {
    const shelf = lifted.parentElement;
    const index = [...shelf.children].indexOf(lifted);
    if (columns) {
      const next = columns < 0 ? shelf.children[index - 1] : shelf.children[index + 2];
      if (index + columns < 0 || index + columns >= shelf.children.length) return act.speak(where(lifted));
      put(shelf, next ?? null);
    } else {
      const other = shelfOf(TIERS[TIERS.indexOf(tierOf(shelf)) + rows]);
      if (!other) return act.speak(where(lifted));
      put(other, other.children[index] ?? null);
    }
    act.speak(where(lifted));
  }

  function put(shelf, before) {
    isMoving = true;
    shelf.insertBefore(lifted, before);
    focus(lifted);
    isMoving = false;
  }

  function drop() {
    const tile = release();
    act.speak(`${nameOf(tile)} is dropped, ${where(tile)}.`);
    act.drop(tile, tierOf(tile.parentElement), tile.nextElementSibling?.dataset.id);
  }

  function cancel() {
    const tile = release();
    act.cancel();
    act.speak(`${nameOf(tile)} is back, ${where(tile)}.`);
  }

  function release() {
    const tile = lifted;
    lifted = null;
    tile.classList.remove("lifted");
    return tile;
  }

  function leave(tile) {
    const next = tile.nextElementSibling ?? tile.previousElementSibling;
    act.remove(tile);
    if (next) focus(next);
  }

  function go(tile, rows, columns) {
    const shelf = tile.parentElement;
    const index = [...shelf.children].indexOf(tile);
    if (columns) return focus(shelf.children[index + columns]);
    // The next shelf that has something on it.
    for (let at = TIERS.indexOf(tierOf(shelf)) + rows; TIERS[at]; at += rows) {
      const { children } = shelfOf(TIERS[at]);
      if (children.length) return focus(children[Math.min(index, children.length - 1)]);
    }
  }

  const focus = (tile) => tile?.firstChild.focus();
  const nameOf = (tile) => tile.querySelector(".name").textContent;
  const tierOf = (shelf) => shelf.closest("[data-tier]").dataset.tier;
  const shelfOf = (tier) => tier && root.querySelector(`[data-tier="${tier}"] .shelf`);
  const where = (tile) => placeOf(tierOf(tile.parentElement), [...tile.parentElement.children].indexOf(tile), tile.parentElement.children.length);
}
