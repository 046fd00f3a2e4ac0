// The arithmetic of curves, as docs/wigg.md defines it, and the words for it. Pure.

export const RATINGS = [
  { name: "zzz", score: 0 },
  { name: "good", score: 2 },
  { name: "better", score: 3 },
  { name: "peak", score: 4 },
];

/** Where segment k of n begins, in percent: rounded half up to a millionth, exactly as the server does. */
export const boundary = (k, n) => Math.floor((k * 1e8) / n + 0.5) / 1e6;

/** The segment a position belongs to; a mark on a boundary belongs to the segment that starts there. */
export function segmentAt(pct, n) {
  let k = Math.min(n - 1, Math.floor((pct * n) / 100) + 1);
  while (k > 0 && boundary(k, n) > pct) k--;
  return k;
}

/** What a finger passing with `weight` leaves: a moving average. With nothing there before, it paints. */
export const moved = (previous, score, weight) => (previous == null ? score : previous + weight * (score - previous));

/** Two passes over one segment as the one pass that leaves the same. */
export function folded(first, second) {
  if (!first) return second;
  const weight = 1 - (1 - first.weight) * (1 - second.weight);
  const score = (first.weight * (1 - second.weight) * first.score + second.weight * second.score) / weight;
  return { ...second, weight, score };
}

/** How much a stay of so many milliseconds counts: a slow finger insists, a quick one suggests. */
export const weightOf = (milliseconds) => Math.max(0.35, 1 - Math.exp(-milliseconds / 40));

export const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
export const scoreOf = (rating) => (rating == null ? 2 : RATINGS[rating].score);
export const rounded = (value, digits = 1) => String(Number(value.toFixed(digits)));
export const percent = (pct) => `${rounded(pct)} %`;

export function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${String(minutes % 60).padStart(2, "0")} min` : ""}`;
}

export function wordFor(score) {
  if (score == null) return "nobody yet";
  return score < 1 ? "zzz" : score < 1.75 ? "slow" : score < 2.5 ? "good" : score < 3.5 ? "better" : "peak";
}

