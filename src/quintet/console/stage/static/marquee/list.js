// One's own list: what the server has said, and on top of it what was asked for and is not answered yet. No DOM.

import { TIERS } from "./words.js";

export class List {
  #rankings = new Map(); // by id, as the server told last
  #wishes = []; // {ranking_id, tier, before_id} or {ranking_id, gone: true}; one of a new title has `media`, too
  #sending = Promise.resolve();
  #real = new Map(); // ids of new titles, from the time before the server had named them
  total = 0;

  /** `changed()` is told whenever the list is to be shown anew. */
  constructor(changed) {
    this.changed = changed;
  }

  /** The answer of GET /rankings/me. */
  read({ items, total }) {
    this.#rankings = new Map(items.map((one) => [one.id, one]));
    this.total = total;
    this.changed();
  }

  clear() {
    this.#wishes = [];
    this.read({ items: [], total: 0 });
  }

  /** Take an event of one's room: old state and event make the new. False where only reading all will do. */
  hear(event) {
    const known = this.#rankings.get(event.ranking_id);
    // An answer to a request of ours may have come before older news of the same ranking.
    const isOld = known && event.updated_at && event.updated_at < known.updated_at;
    if (event.type === "tier_rebalanced" || (event.type === "ranking_moved" && !known)) return false;
    if (event.type === "ranking_placed") this.#keep({ ...event, id: event.ranking_id });
    else if (event.type === "ranking_removed") {
      if (this.#rankings.delete(event.ranking_id)) this.total--;
    } else if (event.type === "ranking_moved" && !isOld) this.#keep({ ...known, ...pick(event, "tier", "position_key", "score", "updated_at") });
    else if (event.type === "ranking_noted" && known && !isOld) this.#keep({ ...known, ...pick(event, "note", "updated_at") });
    this.changed();
    return true;
  }

  #keep(ranking) {
    const known = this.#rankings.get(ranking.id);
    if (known && known.updated_at > ranking.updated_at) return;
    if (!known) this.total++;
    this.#rankings.set(ranking.id, ranking);
  }

  /** The tiers as they are to be shown: {S: [ranking…], …}, best first. */
  tiers() {
    const shown = Object.fromEntries(TIERS.map((tier) => [tier, []]));
    for (const one of this.#rankings.values()) shown[one.tier].push(one);
    // Keys are ASCII, and compare as their bytes do.
    for (const tier of TIERS) shown[tier].sort((a, b) => (a.position_key < b.position_key ? -1 : 1));
    for (const wish of this.#wishes) {
      if (wish.media && this.ofMedia(wish.media.id)) continue; // the event was quicker than the answer
      const one = this.#rankings.get(this.#realId(wish.ranking_id)) ?? (wish.media && { id: wish.ranking_id, ...wish });
      if (!one) continue;
      for (const tier of TIERS) shown[tier] = shown[tier].filter((other) => other.id !== one.id);
      if (wish.gone) continue;
      const before = shown[wish.tier].findIndex((other) => other.id === this.#realId(wish.before_id));
      shown[wish.tier].splice(before < 0 ? shown[wish.tier].length : before, 0, { ...one, tier: wish.tier, waits: true });
    }
    return shown;
  }

  get(id) {
    return this.#rankings.get(this.#realId(id));
  }

  /** The ranking of a film or play, where there is one. */
  ofMedia(mediaId) {
    return [...this.#rankings.values()].find((one) => one.media.id === mediaId);
  }

  /**
   * Show a wish at once, and send it after those before it: each may stand on the one before. `send(id_of)` asks the
   * server, and what it answers (a ranking, or null) takes the wish's place; refused, the wish is dropped.
   */
  wish(wish, send) {
    this.#wishes.push(wish);
    this.changed();
    const sent = this.#sending.then(async () => {
      const answer = await send((id) => this.#realId(id));
      if (answer && wish.media) this.#real.set(wish.ranking_id, answer.id);
      if (answer) this.#keep(answer);
      else if (this.#rankings.delete(this.#realId(wish.ranking_id))) this.total--;
    });
    this.#sending = sent.catch(() => {});
    return sent.finally(() => this.drop(wish));
  }

  /** Show something without sending anything yet; `drop` it, or `wish` it. */
  pretend(wish) {
    this.#wishes.push(wish);
    this.changed();
    return wish;
  }

  drop(wish) {
    this.#wishes = this.#wishes.filter((one) => one !== wish);
    this.changed();
  }

  #realId(id) {
    return this.#real.get(id) ?? id;
  }
}

const pick = (from, ...names) => Object.fromEntries(names.map((name) => [name, from[name]]));
