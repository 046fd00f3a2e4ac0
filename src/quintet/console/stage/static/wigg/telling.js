// What the curve says, in words.

import { duration, percent, rounded, wordFor } from "./scale.js";

const $ = (selector) => document.querySelector(selector);

export function tellTitle({ title, kind, year, total_length_seconds: seconds }) {
  document.title = `${title} – WIGG`;
  $("#title").textContent = title;
  $("#facts").textContent = [kind, year, seconds && duration(seconds)].filter(Boolean).join(" · ");
}

/** The time to good, with what makes it credible. */
export function tellAnswer({ t2g_estimate_pct: pct, t2g_estimate_seconds: seconds, steady_from_pct: steady, ...t2g }) {
  $("#answer").textContent = pct == null ? "not yet known" : pct === 0 ? "the first moment" : seconds == null ? percent(pct) : duration(seconds);
  const voices = t2g.sample_size === 1 ? "1 voice" : `${t2g.sample_size} voices`;
  const basis = { community: voices, none: "nobody has said", genre: "from titles like it", kind: "from titles of its kind", all: "from all titles" };
  const parts = [pct != null && `at ${percent(pct)}`, `${t2g.confidence} confidence`, basis[t2g.basis], steady != null && `steadily from ${percent(steady)}`];
  $("#why-answer").textContent = parts.filter(Boolean).join(" · ");
}

/** What stands at the cursor: for eyes below the curve, for ears as the slider's value. */
export function tellPlace(surface, title, cursor, { mean_score: mean, user_score: own, sample_size }) {
  const seconds = title?.total_length_seconds;
  const where = percent(cursor) + (seconds ? ` · ${duration((seconds * cursor) / 100)}` : "");
  const all = mean == null ? "nobody yet" : `${wordFor(mean)} ${rounded(mean)} of 4 by ${sample_size}`;
  $("#at-cursor").textContent = where;
  $("#everybody").textContent = all;
  $("#own-word").textContent = own == null ? "–" : `${wordFor(own)} ${rounded(own)}`;
  surface.setAttribute("aria-valuenow", rounded(cursor));
  surface.setAttribute("aria-valuetext", `${where}; everybody: ${all}; you: ${own == null ? "nothing" : `${wordFor(own)} ${rounded(own)}`}`);
}
