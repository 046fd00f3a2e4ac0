// What several parts of Sidechain's page draw and say the same way.

import { hueOf } from "../shared/words.js";

export const $ = (selector, within = document) => within.querySelector(selector);

/** An element with these properties and contents. */
export function make(tag, properties = {}, ...contents) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...contents);
  return element;
}

/** A fresh copy of what a `<template>` holds. */
export const fromTemplate = (id) => $(`#${id}`).content.cloneNode(true);

export const nameOf = (user) => user?.display_name || user?.username || "somebody";

/** Give an element somebody's colour, and nobody else's. */
export function colour(element, id) {
  for (let hue = 0; hue < 12; hue++) element.classList.remove(`hue-${hue}`);
  element.classList.add(`hue-${hueOf(id)}`);
  return element;
}

export const initial = (name) => [...name][0].toLocaleUpperCase();

/** The first letter of a name on somebody's colour; for the eye alone, since the name stands beside it. */
export function wear(face, user) {
  face.textContent = initial(nameOf(user));
  return colour(face, user.id);
}

/** `1:05`, as players say it. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** `1 member`, `2 members`. */
export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** Draw a list anew; what had the focus in it, known by its `data-key`, has it still. */
export function redraw(list, rows) {
  const held = list.contains(document.activeElement) && document.activeElement.dataset.key;
  list.replaceChildren(...rows);
  if (held) list.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

/** Let a dialog's buttons close it. */
export function closable(dialog) {
  for (const button of dialog.querySelectorAll(".close")) button.onclick = () => dialog.close();
  return dialog;
}

/** What cannot be taken back happens at the second press only; between the two the button asks. */
export function twice(button, question, act) {
  const before = button.textContent;
  const label = button.ariaLabel;
  let waiting = 0;
  const calm = () => {
    waiting = 0;
    button.textContent = before;
    button.ariaLabel = label;
  };
  button.onblur = calm;
  button.onclick = () => {
    if (waiting) return clearTimeout(waiting), calm(), act();
    button.textContent = question;
    button.ariaLabel = question;
    waiting = setTimeout(calm, 4000);
  };
}
