// The five shelves and the tiles on them. Tiles are kept from one drawing to the next, so that focus and fingers stay.

import { hueOf } from "../shared/words.js";
import { TIERS, placeOf } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const tiles = new Map(); // by the id of the film or play, which a ranking has from its first moment on

/** A film or play as a tile: a poster without a picture, since pictures would come from another host. */
export function tileOf(media) {
  const tile = document.createElement("li");
  tile.className = `tile hue-${hueOf(media.id)}`;
  tile.dataset.media = media.id;
  const button = document.createElement("button");
  button.type = "button";
  for (const [name, text] of [["name", media.title], ["year", media.year ?? ""], ["flag", ""]])
    button.append(Object.assign(document.createElement("span"), { className: name, textContent: text, dir: "auto" }));
  tile.append(button);
  return tile;
}

/** Draw the shelves as they are. */
export function drawTiers(shown, total) {
  const focused = document.activeElement?.closest("[data-id]");
  const gone = new Set(tiles.keys());
  for (const tier of TIERS) {
    const section = document.querySelector(`.tier[data-tier=${tier}]`);
    const shelf = section.querySelector(".shelf");
    section.querySelector(".count").textContent = shown[tier].length || "";
    shown[tier].forEach((ranking, index) => {
      const { id, media, note, waits } = ranking;
      if (!tiles.has(media.id)) tiles.set(media.id, tileOf(media));
      const tile = tiles.get(media.id);
      gone.delete(media.id);
      tile.dataset.id = id;
      tile.classList.toggle("waits", Boolean(waits));
      const button = tile.firstChild;
      button.querySelector(".name").textContent = media.title;
      button.querySelector(".flag").textContent = note ? "✎" : "";
      const spoken = [media.title, media.year, placeOf(tier, index, shown[tier].length), note && "with a note"].filter(Boolean);
      button.setAttribute("aria-label", spoken.join(", "));
      if (shelf.children[index] !== tile) shelf.insertBefore(tile, shelf.children[index] ?? null);
    });
    while (shelf.children.length > shown[tier].length) shelf.lastChild.remove();
    rove(shelf);
  }
  for (const mediaId of gone) {
    tiles.get(mediaId).remove();
    tiles.delete(mediaId);
  }
  if (focused?.isConnected && document.activeElement === document.body) focused.firstChild.focus({ preventScroll: true });
  $("#total").textContent = total === 1 ? "1 title" : total ? `${total} titles` : "";
}

/** One tile of a shelf is reached with Tab, the others with arrows. */
export function rove(shelf, tile = shelf.querySelector(".tile:focus-within") ?? shelf.querySelector("[tabindex='0']")?.parentElement) {
  const reached = tile?.parentElement === shelf ? tile : shelf.firstElementChild;
  for (const one of shelf.children) one.firstChild.tabIndex = one === reached ? 0 : -1;
}
