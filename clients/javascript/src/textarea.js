// A document in a textarea (or a text input): what is typed goes there, what others write comes here, and cursor,
// selection and scrolling stay where they were in the text.
//
// Invariant: outside of a composition (an input method's, such as for Japanese) the element shows the document's text.
// Textareas turn every \r\n and \r into \n; such places are mapped, so that writing elsewhere leaves them alone.

import { difference, operation, transform, transformPosition } from "./operation.js";

/** Keep both the same; what is given back ends that. @param {import("./document.js").SharedDocument} doc */
export function bindTextarea(doc, element) {
  let shown = doc.text; // the document's text as the element shows it, or showed it when a composition began
  let missed = null; // what others did during a composition
  let isWriting = false;
  const show = () => {
    element.value = shown = doc.text;
  };

  /** What the user did to the text that was shown, as an operation on it. */
  const typed = () => {
    const seen = withNewlines(shown);
    if (element.value === seen) return [];
    const { start, end, text } = difference(seen, element.value, element.selectionEnd ?? undefined);
    const [from, to] = [placeIn(shown, start), placeIn(shown, end)];
    return operation(from, from - to, text);
  };

  const input = () => {
    if (missed !== null) return; // the composition is not over
    write(typed());
    shown = doc.text;
    tell();
  };

  const write = (op) => {
    isWriting = true;
    if (op.length) doc.apply(op);
    isWriting = false;
  };

  /** Others changed the text, or the application did. */
  const changed = ({ op }) => {
    if (isWriting) return;
    if (missed === null) move([op]);
    else missed.push(op);
  };

  /** Show the text anew, with cursor and selection moved over what others did. */
  const move = (ops, own = null) => {
    const places = [element.selectionStart, element.selectionEnd].map((place) => {
      let at = place === null ? null : own ? own(place) : placeIn(shown, place);
      for (const op of ops) at = at === null ? null : transformPosition(at, op);
      return at;
    });
    const { scrollTop, selectionDirection } = element;
    show();
    if (places[0] !== null) {
      const [start, end] = places.map((place) => withNewlines(doc.text.slice(0, place)).length);
      element.setSelectionRange(start, end, selectionDirection ?? undefined);
    }
    element.scrollTop = scrollTop;
  };

  const composing = () => {
    input();
    missed = [];
  };

  const composed = () => {
    if (missed === null) return;
    const passed = missed;
    missed = null;
    let op = typed();
    const over = [];
    for (const one of passed) {
      over.push(transform(one, op, false));
      op = transform(op, one, true);
    }
    write(op);
    if (passed.length) move(over, (place) => place);
    shown = doc.text;
    tell();
  };

  const tell = () => {
    if (missed !== null || element.selectionStart === null || element.ownerDocument?.activeElement !== element) return;
    const [start, end] = [element.selectionStart, element.selectionEnd].map((place) => placeIn(shown, place));
    if (element.selectionDirection === "backward") doc.setCursor(start, end);
    else doc.setCursor(end, start);
  };

  const stopHearing = doc.on("change", changed);
  const heard = { input, compositionstart: composing, compositionend: composed, select: tell, keyup: tell, click: tell };
  for (const [name, listener] of Object.entries(heard)) element.addEventListener(name, listener);
  show();
  return () => {
    stopHearing();
    for (const [name, listener] of Object.entries(heard)) element.removeEventListener(name, listener);
  };
}

/** The text as a textarea's `value` gives it. */
const withNewlines = (text) => (text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text);

/** Where in the text a place in `withNewlines(text)` is. */
function placeIn(text, place) {
  if (!text.includes("\r")) return place;
  let at = 0;
  for (let seen = 0; seen < place; seen += 1) at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
  return at;
}
