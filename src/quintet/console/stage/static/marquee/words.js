// How titles, places and moments are told in words. Pure.

export const TIERS = ["S", "A", "B", "C", "D"];

const KINDS = { MOVIE: "film", PLAY: "play" };

/** `play · 1601 · by William Shakespeare`, as far as it is known. */
export function factsOf({ media_type, year, attributes }) {
  const by = attributes?.playwright ?? attributes?.director;
  return [KINDS[media_type], year, typeof by === "string" && `by ${by}`].filter(Boolean).join(" · ");
}

/** What a foreign title is called where it comes from; nothing where that is the same. */
export const otherTitle = ({ title, original_title }) => (original_title && original_title !== title ? original_title : "");

/** Where a title stands: "2 of 5 in tier A". */
export const placeOf = (tier, index, count) => `${index + 1} of ${count} in tier ${tier}`;

/** What a feed's item says after the name of who did it: parts, of which `{title}` stands for the title. */
export function deed({ kind, tier, from_tier: from, count }) {
  const times = count > 1 ? ` (${count} moves)` : "";
  if (kind === "moved" && from && from !== tier) return ["moved ", `, from ${from} to ${tier}${times}`];
  if (kind === "moved") return ["moved ", ` within ${tier}${times}`];
  if (kind === "noted") return ["noted on ", ""];
  return ["ranked ", ` in ${tier}`];
}
