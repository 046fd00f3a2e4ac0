// Draws a title's curve as SVG: what everybody says as bars, what you say as a line, and everything that happens
// on top. It knows no server; `draw` takes what is so, `ripple` and `tint` what has just come.

import { hueOf } from "../shared/words.js";
import { RATINGS, boundary, duration, percent, rounded, scoreOf } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const TOP = 40; // the flag's
const BOTTOM = 78; // the axis, the milestones' icons and two rows of their labels
const RIGHT = 14;

export class Curve {
  #layers = {};
  #bars = [];
  #drawn = null;

  constructor(svg) {
    this.svg = svg;
    const names = ["scale", "band", "bars", "tints", "own", "stones", "axis", "flag", "marks", "ripples", "cursor"];
    for (const name of names) this.#layers[name] = add(svg, "g", { class: name });
    // Drawn in real pixels, so that type keeps its size on a phone and on a desk.
    new ResizeObserver(() => this.#drawn && this.draw(this.#drawn)).observe(svg);
  }

  get left() {
    return this.width < 520 ? 46 : 58;
  }
  get bottom() {
    return this.height - BOTTOM;
  }
  x(pct) {
    return this.left + (pct / 100) * (this.width - this.left - RIGHT);
  }
  y(score) {
    return this.bottom - (score / 4) * (this.bottom - TOP);
  }

  /** Where on the title, and how high, a point of the screen is. */
  at(clientX, clientY) {
    const box = this.svg.getBoundingClientRect();
    const pct = ((clientX - box.left - this.left) / (this.width - this.left - RIGHT)) * 100;
    const score = ((this.bottom - (clientY - box.top)) / (this.bottom - TOP)) * 4;
    return { pct: Math.min(100, Math.max(0, pct)), score: Math.min(4, Math.max(0, score)) };
  }

  draw(state) {
    this.#drawn = state;
    const box = this.svg.getBoundingClientRect();
    this.width = Math.max(200, box.width);
    this.height = Math.max(200, box.height);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.#scale(state.title);
    this.#segments(state.progress?.segments ?? []);
    this.#own(state.progress?.segments ?? []);
    this.#flag(state.t2g);
    this.#stones(state.milestones, state.icons);
    this.#marks(state.marks);
    this.cursor(state.cursor, state.progress);
  }

  #scale(title) {
    const group = empty(this.#layers.scale);
    for (const { name, score } of RATINGS) {
      add(group, "line", { x1: this.left, x2: this.width - RIGHT, y1: this.y(score), y2: this.y(score), class: score ? "" : "base" });
      add(group, "text", { x: this.left - 8, y: this.y(score) + 4, class: "end" }, name);
    }
    const axis = empty(this.#layers.axis); // above the milestones' lines
    const seconds = title?.total_length_seconds;
    const step = this.width < 520 ? 50 : 25;
    for (let pct = 0; pct <= 100; pct += step) {
      const anchor = pct === 0 ? "" : pct === 100 ? "end" : "middle";
      const text = seconds ? (pct ? duration((seconds * pct) / 100) : "start") : `${pct} %`;
      add(axis, "text", { x: this.x(pct), y: this.bottom + 17, class: anchor }, text);
    }
  }

  #segments(segments) {
    const group = this.#layers.bars;
    while (this.#bars.length > segments.length) this.#bars.pop().remove();
    while (this.#bars.length < segments.length) this.#bars.push(add(group, "rect", { rx: 3 }));
    segments.forEach((one, index) => {
      const bar = this.#bars[index];
      const score = one.mean_score;
      const height = score == null ? 0 : Math.max(4, this.bottom - this.y(score));
      const gap = segments.length > 30 ? 1 : 1.5;
      const [from, to] = [this.x(one.start_pct) + gap, this.x(one.end_pct) - gap];
      set(bar, { x: from, width: Math.max(1, to - from), y: this.bottom - height, height });
      // Few voices are drawn thin: they may yet be wrong.
      bar.setAttribute("class", `bar level-${score == null ? "none" : Math.round(score * 2)}${one.sample_size < 3 ? " few" : ""}`);
    });
  }

  #own(segments) {
    const group = empty(this.#layers.own);
    let path = "";
    let open = false;
    for (const one of segments) {
      if (one.user_score == null) {
        open = false;
        continue;
      }
      const y = this.y(one.user_score).toFixed(1);
      path += `${open ? "L" : "M"}${this.x(one.start_pct).toFixed(1)} ${y}H${this.x(one.end_pct).toFixed(1)}`;
      open = true;
    }
    if (path) for (const name of ["halo", "line"]) add(group, "path", { d: path, class: name });
  }

  #flag(t2g) {
    const band = empty(this.#layers.band);
    const group = empty(this.#layers.flag);
    if (t2g?.interval) {
      const [from, to] = [this.x(t2g.interval.start_pct), this.x(t2g.interval.end_pct)];
      add(band, "rect", { x: from, width: to - from, y: TOP, height: this.bottom - TOP, rx: 4 });
      add(band, "text", { x: from + 6, y: TOP + 16 }, "likely");
    }
    if (t2g?.t2g_estimate_pct == null) return;
    const x = this.x(t2g.t2g_estimate_pct);
    const text = `gets good · ${percent(t2g.t2g_estimate_pct)}`;
    const wide = text.length * 7.1 + 22;
    const from = Math.min(Math.max(2, x - 10), this.width - wide - 2);
    add(group, "line", { x1: x, x2: x, y1: 28, y2: this.bottom, class: t2g.confidence });
    add(group, "rect", { x: from, y: 4, width: wide, height: 26, rx: 13, class: t2g.confidence });
    add(group, "text", { x: from + wide / 2, y: 21.5, class: "middle" }, text);
  }

  #stones(milestones, icons) {
    const group = empty(this.#layers.stones);
    const ends = [-99, -99];
    let lastIcon = -99;
    for (const one of milestones) {
      const x = this.x(one.pct);
      const stone = add(group, "g", { class: "stone" });
      add(stone, "title", {}, `${one.label}, ${percent(one.pct)}`);
      add(stone, "line", { x1: x, x2: x, y1: this.bottom, y2: this.bottom + 24 });
      if (x - lastIcon < 17) continue; // the list below has them all
      lastIcon = x;
      add(stone, "text", { x, y: this.bottom + 40, class: "middle icon" }, icons[one.icon] ?? "•");
      const text = one.label.length > 22 ? `${one.label.slice(0, 21)}…` : one.label;
      const half = text.length * 3.2 + 6;
      const center = Math.min(Math.max(x, half), this.width - half);
      const row = ends.findIndex((end) => center - half > end);
      if (row < 0) continue;
      ends[row] = center + half;
      add(stone, "text", { x: center, y: this.bottom + 57 + row * 15, class: "middle label" }, text);
    }
  }

  #marks(marks) {
    const group = empty(this.#layers.marks);
    for (const one of marks) {
      const at = { cx: this.x(one.position_pct), cy: this.y(scoreOf(one.rating)) };
      const dot = add(group, "circle", { ...at, r: 6, class: one.waits ? "waits" : "", "data-mark": one.optimistic_id ?? one.id });
      add(dot, "title", {}, `Your mark at ${percent(one.position_pct)}${one.waits ? ", waiting to be sent" : ""}`);
    }
  }

  cursor(pct, progress) {
    const group = empty(this.#layers.cursor);
    if (pct == null || !progress) return;
    const x = this.x(pct);
    add(group, "line", { x1: x, x2: x, y1: TOP, y2: this.bottom });
    add(group, "path", { d: `M${x - 7} ${TOP - 9}l7 9l7 -9z` });
  }

  /** Somebody else's mark has come. */
  ripple({ user_id, position_pct, rating }) {
    const at = { cx: this.x(position_pct), cy: this.y(scoreOf(rating)), r: 7 };
    const ring = add(this.#layers.ripples, "circle", { ...at, class: `ripple hue-${hueOf(user_id)}` });
    ring.onanimationend = () => ring.remove();
  }

  /** Somebody else is painting: shown at once, before the curve itself is read anew. */
  tint({ user_id, segments, cells }) {
    for (const { segment_index, new_score } of cells) {
      const key = `${user_id}/${segments}/${segment_index}`;
      const [from, to] = [this.x(boundary(segment_index, segments)), this.x(boundary(segment_index + 1, segments))];
      const y = this.y(new_score);
      const old = [...this.#layers.tints.children].find((one) => one.dataset.key === key);
      const tint = old ?? add(this.#layers.tints, "rect", { "data-key": key, "data-segment": segment_index });
      set(tint, { x: from, width: to - from, y: Math.min(y, this.bottom - 3), height: Math.max(3, this.bottom - y), "data-score": rounded(new_score, 2) });
      tint.setAttribute("class", `tint hue-${hueOf(user_id)}`);
      clearTimeout(tint.fades);
      tint.fades = setTimeout(() => tint.remove(), 1600);
    }
  }

  /** Somebody took back what they painted: what was shown of it goes at once. */
  untint(userId) {
    for (const one of [...this.#layers.tints.children]) if (one.dataset.key.startsWith(userId)) one.remove();
  }
}

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  if (text !== undefined) element.textContent = text;
  return parent.appendChild(element);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function empty(group) {
  group.replaceChildren();
  return group;
}
