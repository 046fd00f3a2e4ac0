// Finger, mouse and keyboard on the curve. One rule for all of them: a tap marks, a press paints.

import { boundary, clamp, segmentAt, weightOf } from "./scale.js";

const MOVED_PX = 7; // less is a trembling finger
const HELD_MS = 350;

/**
 * `act` is told: `hover(pct)`, `tap(pct)`, `pass(index, score, weight)`, `lift()`, `rate(rating)`, `key(name)`,
 * and asked: `segments()`, `cursor()`, `isEditing()`, `ownScore(index)`.
 */
export function listen(surface, curve, act) {
  let press = null; // {x, y, at, pct, score, painting, timer}

  surface.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    press = { x: event.clientX, y: event.clientY, time: event.timeStamp, ...curve.at(event.clientX, event.clientY) };
    press.timer = setTimeout(() => paint(), HELD_MS);
    surface.setPointerCapture(event.pointerId); // a stroke may leave the curve and come back
    surface.focus({ preventScroll: true, focusVisible: false });
  });

  surface.addEventListener("pointermove", (event) => {
    const { pct } = curve.at(event.clientX, event.clientY);
    if (!press) return event.pointerType === "mouse" && act.hover(pct);
    if (!press.painting && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVED_PX) paint();
    if (!press.painting) return;
    act.hover(pct);
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const one of steps.length ? steps : [event]) move(curve.at(one.clientX, one.clientY), one.timeStamp);
  });

  surface.addEventListener("pointerup", () => {
    if (!press) return;
    if (press.painting) act.lift();
    else act.tap(press.pct);
    forget();
  });
  // The browser took the finger for scrolling, or it slid off the screen: what was painted until then stays.
  surface.addEventListener("pointercancel", () => {
    if (press?.painting) act.lift();
    forget();
  });
  surface.addEventListener("contextmenu", (event) => press && event.preventDefault());

  function forget() {
    clearTimeout(press?.timer);
    press = null;
  }

  function paint() {
    clearTimeout(press.timer);
    press.painting = true;
    const index = segmentAt(press.pct, act.segments());
    act.pass(index, press.score, weightOf(0));
  }

  /** Every segment between the last point and this one, at the height the line crosses its middle. */
  function move(to, time) {
    const count = act.segments();
    const [first, last] = [segmentAt(press.pct, count), segmentAt(to.pct, count)];
    const step = last < first ? -1 : 1;
    const share = Math.max(0, time - press.time) / (Math.abs(last - first) + 1);
    for (let index = first; ; index += step) {
      const middle = (boundary(index, count) + boundary(index + 1, count)) / 2;
      const way = to.pct === press.pct ? 1 : clamp((middle - press.pct) / (to.pct - press.pct), 0, 1);
      const score = index === last ? to.score : press.score + way * (to.score - press.score);
      if (index !== first || first === last) act.pass(index, score, weightOf(share));
      if (index === last) break;
    }
    Object.assign(press, to, { time });
  }

  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const count = act.segments();
    const at = act.cursor() ?? 0;
    const index = segmentAt(at, count);
    const to = {
      ArrowLeft: event.shiftKey ? at - 1 : boundary(at > boundary(index, count) ? index : Math.max(0, index - 1), count),
      ArrowRight: event.shiftKey ? at + 1 : boundary(Math.min(count, index + 1), count),
      Home: 0,
      End: 100,
    }[event.key];
    if (to !== undefined) act.hover(clamp(to, 0, 100), { byKey: true });
    else if (event.key === "Enter" || event.key === " ") act.tap(at);
    else if (/^[0-3]$/.test(event.key)) act.rate(Number(event.key));
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const up = event.key === "ArrowUp" ? 1 : -1;
      if (act.isEditing()) act.pass(index, clamp((act.ownScore(index) ?? 2) + up * 0.5, 0, 4), 1, { byKey: true });
      else act.rate(null, up);
    } else if (event.key.toLowerCase() === "e") act.key("edit");
    else return;
    event.preventDefault();
  });
  // One key held down, or pressed again and again, is one step to undo once it rests.
  surface.addEventListener("keyup", (event) => event.key.startsWith("Arrow") && act.isEditing() && act.lift());
}
