// What several pages tell in the same words. Pure.

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"], [4.35, "week"], [12, "month"], [Infinity, "year"]];

/** How long ago a moment was, roughly: "3 minutes ago". */
export function ago(at, now = Date.now()) {
  let span = Math.min(0, (Date.parse(at) - now) / 1000);
  for (const [size, unit] of STEPS) {
    if (-span < size || size === Infinity) return unit === "second" ? "just now" : relative.format(Math.round(span), unit);
    span /= size;
  }
  return "";
}

/** A colour of its own for everybody and everything, out of twelve; which, the id says. */
export const hueOf = (id) => ([...id].reduce((sum, char) => Math.imul(sum ^ char.charCodeAt(0), 16777619), 2166136261) >>> 8) % 12;
