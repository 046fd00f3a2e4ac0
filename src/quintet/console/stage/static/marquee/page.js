// Marquee's page: holds one's list, and brings together shelves, hands, search, the rooms and the server.

import { invite, say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { folding } from "../shared/folding.js";
import { Live } from "../shared/live.js";
import { listenToBoard } from "./board.js";
import { listenToDetails } from "./details.js";
import { listenToPointers } from "./dragging.js";
import { Friends } from "./friends.js";
import { listenToKeys } from "./keys.js";
import { List } from "./list.js";
import { listenToPlacing } from "./placing.js";
import { listenToSearch } from "./searching.js";
import { listenToSharing } from "./sharing.js";
import { drawTiers } from "./tiers.js";

const $ = (selector) => document.querySelector(selector);
const MOST = 1000; // that the server tells at once, and a page can show
const SECOND_THOUGHTS_MS = 6000;
const CHANGED = ["neighbour_gone", "wrong_neighbour", "not_found", "already_ranked"]; // by somebody else's hand
let live = null;
let rooms = {};
let carried = null; // a tile in somebody's hand: until it is put down, nothing else moves
let leaving = null; // a title taken out that can still come back: {wish, ranking, timer}

// --- showing

const list = new List(() => carried || draw());

function draw() {
  drawTiers(list.tiers(), list.total);
  search.marked();
}

const say_ = (text) => ($("#spoken").textContent = text);

function may(why) {
  if (!api.user()) invite(why);
  return Boolean(api.user());
}

// --- reading

const readList = folding(async () => {
  if (!api.user()) return;
  const told = {};
  const answer = await api.get(`/rankings/me?limit=${MOST}`, told);
  rooms.own?.readAt("list", told.roomSeq);
  list.read(answer);
}, failed);

const readFeed = folding(async () => {
  if (!api.user()) return;
  const told = {};
  await friends.read(told);
  if (told.roomSeq) rooms.feed?.readAt("feed", told.roomSeq);
}, failed);

const readBoard = listenToBoard();

function failed(problem) {
  if (!problem.passes) sayProblem(problem); // what the network did not answer is read when it is back
}

// --- doing

async function send(wish, ask) {
  try {
    await list.wish(wish, ask);
    sharing.changed();
  } catch (problem) {
    sayProblem(problem);
    if (CHANGED.includes(problem.code)) readList();
  }
}

function put(media, tier, beforeId) {
  if (!may("Sign in to rank it.")) return;
  const ranked = list.ofMedia(media.id);
  if (ranked) return move(ranked, tier, beforeId);
  say_(`${media.title} goes into tier ${tier}.`);
  send({ ranking_id: `new ${media.id}`, media, tier, before_id: beforeId }, (idOf) =>
    api.post("/rankings", { media_id: media.id, tier, ...(beforeId && { before_id: idOf(beforeId) }) }),
  );
}

function move(ranking, tier, beforeId) {
  const tiers = list.tiers()[tier];
  const index = tiers.findIndex((one) => one.id === ranking.id);
  if (index >= 0 && (tiers[index + 1]?.id ?? undefined) === beforeId) return draw(); // where it stands
  send({ ranking_id: ranking.id, tier, before_id: beforeId }, (idOf) =>
    api.request("PATCH", `/rankings/${idOf(ranking.id)}/move`, { body: { tier, ...(beforeId && { before_id: idOf(beforeId) }) } }),
  );
}

async function note(ranking, text) {
  try {
    const answer = await api.request("PATCH", `/rankings/${ranking.id}`, { body: { note: text } });
    list.hear({ type: "ranking_noted", ranking_id: answer.id, note: answer.note, updated_at: answer.updated_at });
    say(text ? "Noted." : "The note is gone.");
  } catch (problem) {
    sayProblem(problem);
  }
}

/** Gone from the shelf at once; from the server when there was time for second thoughts. */
function remove(ranking) {
  letGo();
  const wish = list.pretend({ ranking_id: ranking.id, gone: true });
  leaving = { wish, ranking, timer: setTimeout(letGo, SECOND_THOUGHTS_MS) };
  $("#undo span").textContent = `${ranking.media.title} is out.`;
  $("#undo").hidden = false;
}

function letGo(options = {}) {
  if (!leaving) return;
  const { wish, ranking, timer } = leaving;
  clearTimeout(timer);
  leaving = null;
  $("#undo").hidden = true;
  send({ ranking_id: ranking.id, gone: true }, () => api.request("DELETE", `/rankings/${ranking.id}`, options));
  list.drop(wish);
}

$("#undo button").onclick = () => {
  if (!leaving) return;
  clearTimeout(leaving.timer);
  list.drop(leaving.wish);
  say_(`${leaving.ranking.media.title} is back.`);
  leaving = null;
  $("#undo").hidden = true;
};
addEventListener("pagehide", () => letGo({ keepalive: true }));

// --- hands

const search = listenToSearch({ tierOf: (media) => list.ofMedia(media.id)?.tier, put, ponder: (media) => may("Sign in to rank it.") && ponder(media), may });
const ponder = listenToPlacing(put);
const open = listenToDetails({ note, move: (ranking, tier) => move(ranking, tier), remove });
const sharing = listenToSharing(may);
const friends = new Friends({ may });

const hands = {
  lift: (tile) => {
    if (carried || !may("Sign in to rank it.")) return false;
    carried = tile;
    return true;
  },
  drop: (tile, tier, beforeId) => {
    carried = null;
    const ranking = list.get(tile.dataset.id);
    const media = ranking?.media ?? search.of(tile.dataset.media);
    if (ranking) move(ranking, tier, beforeId);
    else if (media) put(media, tier, beforeId);
    draw();
  },
  cancel: () => {
    carried = null;
    draw();
  },
  remove: (tile) => list.get(tile.dataset.id) && remove(list.get(tile.dataset.id)),
  speak: say_,
};
listenToPointers(hands);
listenToKeys($(".tiers"), hands);
$(".tiers").addEventListener("click", (event) => {
  const ranking = list.get(event.target.closest(".tile")?.dataset.id);
  if (ranking) open(ranking);
});
for (const button of document.querySelectorAll("dialog .close")) button.onclick = () => button.closest("dialog").close();

// --- hearing

/** Begin anew as somebody, or as nobody in particular. */
function begin(user) {
  live?.close();
  rooms = {};
  carried = null;
  clearTimeout(leaving?.timer); // what was to leave somebody's list stays in it: they are not here any more
  leaving = null;
  $("#undo").hidden = true;
  list.clear();
  friends.clear();
  $("#guest").hidden = Boolean(user);
  readBoard();
  if (!user) {
    $("#state").textContent = $("#state").dataset.state = "looking";
    return;
  }
  live = new Live({
    ticket: async (fresh) => {
      if (fresh) await api.renew();
      return (await api.post("/ws/ticket")).ticket;
    },
    token: () => api.token({ fresh: true }),
    state: (word) => ($("#state").textContent = $("#state").dataset.state = word),
  });
  rooms.own = live.join(`user:${user.id}`, {
    event: (event, isNews) => {
      if (!event.type.startsWith("ranking_") && event.type !== "tier_rebalanced") return;
      if (isNews("list") && !list.hear(event)) readList();
      readBoard();
      sharing.changed();
    },
    reread: readList,
  });
  rooms.feed = live.join("feed", {
    event: (event, isNews) => {
      if (event.type !== "feed_item" || !isNews("feed")) return;
      friends.take(event.item);
      readBoard();
    },
    reread: readFeed,
  });
  readList();
  readFeed();
}

api.onUser(begin);
begin(api.user());
