// The drawings of the error dashboard: bars of every hour, and shares. They know no server.

import { h, drawn } from "./errors_elements.js";
import { hourOf, many } from "./errors_words.js";

const NARROWEST = 280;
const NAME_EVERY = 105; // pixels: a name's width, and some air
const HEIGHT = 180;
const BOTTOM = 22; // the hours' names
const LEFT = 46; // the figures

/** Draw the bars of `hourly` into `place`, in real pixels, so that type keeps its size on a phone and on a desk. */
export function drawHours(place, hourly) {
  const width = Math.max(NARROWEST, place.getBoundingClientRect().width);
  const most = Math.max(1, ...hourly.map((one) => one.occurrences));
  const top = niceTop(most);
  const step = (width - LEFT) / hourly.length;
  const y = (value) => 6 + (HEIGHT - BOTTOM - 6) * (1 - value / top);
  const lines = [0, 0.5, 1].map((share) => drawn("line", { x1: LEFT, x2: width, y1: y(top * share), y2: y(top * share) }));
  const figures = [0.5, 1].map((share) => drawn("text", { x: LEFT - 6, y: y(top * share) + 4, class: "end" }, short(top * share)));
  const bars = hourly.map(({ hour, occurrences }, index) => {
    // A single one among thousands is seen, too.
    const height = occurrences ? Math.max(2, y(0) - y(occurrences)) : 0;
    const bar = drawn("rect", { x: LEFT + index * step + step * 0.1, y: y(0) - height, width: step * 0.8, height, rx: Math.min(3, step * 0.2) });
    bar.append(drawn("title", {}, `${hourOf(hour, hourly.length)}: ${many(occurrences, "occurrence")}`));
    return bar;
  });
  const every = Math.ceil(hourly.length / Math.floor((width - LEFT) / NAME_EVERY));
  const names = hourly.flatMap(({ hour }, index) =>
    index % every ? [] : [drawn("text", { x: LEFT + index * step, y: HEIGHT - 5 }, hourOf(hour, hourly.length))],
  );
  const total = hourly.reduce((sum, one) => sum + one.occurrences, 0);
  const busiest = hourly.find((one) => one.occurrences === most);
  const words = total
    ? `${many(total, "occurrence")} in ${many(hourly.length, "hour")}, most of them, ${most}, from ${hourOf(busiest.hour, hourly.length)}`
    : `Nothing in ${many(hourly.length, "hour")}`;
  place.replaceChildren(drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": words }, ...lines, ...figures, ...bars, ...names));
}

/** Write the same hours into a table's `body`, the newest first. */
export function listHours(body, hourly) {
  body.replaceChildren(...[...hourly].reverse().map(({ hour, occurrences }) =>
    h("tr", {}, h("th", { scope: "row", textContent: hourOf(hour, Infinity) }), h("td", { textContent: occurrences.toLocaleString("en") })),
  ));
}

/** List `{name, kind, rows, occurrences}` with a bar each. */
export function drawShares(place, shares) {
  const most = Math.max(1, ...shares.map((one) => one.occurrences));
  place.replaceChildren(...shares.map(({ name, kind, rows, occurrences }) =>
    h("li", {},
      h("span", { textContent: name }),
      drawn("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true", class: kind },
        drawn("rect", { width: 100, height: 10, class: "ground" }),
        drawn("rect", { width: occurrences ? Math.max(1, (100 * occurrences) / most) : 0, height: 10 })),
      h("span", { className: "soft", textContent: `${many(occurrences, "time")} in ${many(rows, "row")}` }),
    ),
  ));
}

/** The next of 1, 2, 5, 10, 20 … that is not smaller. */
export function niceTop(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most);
}

const short = (value) => value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
