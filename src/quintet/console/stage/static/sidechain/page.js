// Sidechain's page: brings together channels, people, texts, posts and sounds, the rooms and the server.

import { invite, say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { folding } from "../shared/folding.js";
import { Live } from "../shared/live.js";
import { QuintetText } from "../text/index.js";
import { ChannelHead } from "./channel.js";
import { Channels } from "./channels.js";
import { Composer } from "./composer.js";
import { $ } from "./drawing.js";
import { Editor } from "./editor.js";
import { Listening } from "./listening.js";
import { Members } from "./members.js";
import { mountNotifications } from "./notifications.js";
import { People } from "./people.js";
import { Player } from "./player.js";
import { Posts } from "./posts.js";
import { drawWave, imagined } from "./waveform.js";

const FEED = "feed";
const TEXTS = {
  description: { label: "Description", placeholder: "What is this channel about? Everybody in it can write here, at once." },
  notes: { label: "Notes", placeholder: "Tempo map, lyrics, who does what …" },
};
let live = null;
let texts = null;
let bell = null;
let room = null; // of the channel that is shown
let isInStudio = false;

const people = new People();
const player = new Player();
const channels = new Channels();
const members = new Members(people);
const posts = new Posts(player, people);
const listening = new Listening({ userOf: people.userOf, postOf: posts.postOf });
const composer = new Composer((post) => shows(post) && posts.take(post));
const head = new ChannelHead({
  changed: (channel) => {
    channels.know(channel);
    if (channel.id === head.channel?.id) drawChannel(channel);
  },
  gone,
});
const editors = Object.entries(TEXTS).map(([field, { label }]) => [field, new Editor($(`#${field}`), { label, userOf: people.userOf })]);

// --- what is shown

const chosen = () => location.hash.slice(1) || FEED;
const shows = (post) => (chosen() === FEED ? true : post.channel_id === head.channel?.id);

/** Show what the address names. */
async function show() {
  if (!api.user()) return;
  const id = chosen();
  room = null;
  if (head.channel) live.leave(`channel:${head.channel.id}`);
  for (const [, editor] of editors) editor.close();
  head.leave();
  listening.clear();
  channels.choose(id);
  $("#feed").hidden = id !== FEED;
  $("#channel").hidden = $("#people").hidden = true;
  composer.hide();
  if (id === FEED) {
    document.title = "Sidechain";
    posts.show("/api/v1/feed", { none: "Nothing here yet. Follow somebody, join a channel, or post the first sketch yourself.", nameOfChannel: channels.nameOf });
    composer.show(null);
    return readFeed();
  }
  posts.show(`/api/v1/channels/${encodeURIComponent(id)}/posts`, { none: "No posts yet. The first sketch is the hardest; anything goes." });
  let channel;
  try {
    channel = await api.get(`/api/v1/channels/${encodeURIComponent(id)}`);
  } catch (problem) {
    if (chosen() !== id) return;
    if (!problem.passes) location.hash = FEED;
    return sayProblem(problem);
  }
  if (chosen() !== id || !live) return;
  members.show(channel);
  channels.know(channel);
  drawChannel(channel);
  room = live.join(`channel:${id}`, { event: hearChannel, transient: hearTransient, reread: readChannel, people: present, refused: () => gone(id) });
  readChannel();
}

/** Draw the channel as it is now; its texts anew where one has come in or gone out. */
function drawChannel(channel) {
  const isOther = head.channel?.id !== channel.id || Boolean(head.channel.role) !== Boolean(channel.role);
  head.draw(channel);
  document.title = `${channel.name} · Sidechain`;
  $("#channel").hidden = $("#people").hidden = false;
  if (channel.role) composer.show(channel.id);
  else composer.hide();
  if (!isOther) return;
  for (const [field, editor] of editors) {
    const { placeholder } = TEXTS[field];
    editor.show(texts, `channel:${channel.id}:${field}`, { canWrite: Boolean(channel.role), placeholder: channel.role ? placeholder : "Nothing is written here yet." });
  }
}

function gone(id) {
  channels.forget(id);
  if (chosen() === id) location.hash = FEED;
}

// --- reading

const readFeed = folding(async () => {
  if (!api.user() || chosen() !== FEED) return;
  const told = {};
  await posts.read(told);
  feed?.readAt("feed", told.roomSeq);
}, failed);

const readChannel = folding(async () => {
  const here = room;
  if (!here) return;
  const told = [{}, {}];
  await Promise.all([members.read(told[0]), posts.read(told[1])]);
  here.readAt("members", told[0].roomSeq);
  here.readAt("posts", told[1].roomSeq);
  listening.draw(); // now that those are known by name
}, failed);

const readChannels = folding(() => channels.read(), failed);

function failed(problem) {
  if (!problem.passes) sayProblem(problem); // what the network did not answer is read when it is back
}

// --- hearing

let feed = null;

function hearChannel(event, isNews) {
  people.hear(event);
  switch (event.type) {
    case "member_joined":
      if (isNews("members")) members.joined(event);
      return head.draw({ ...head.channel, members: event.members });
    case "member_left":
      if (isNews("members")) members.left(event.user_id);
      return head.draw({ ...head.channel, members: event.members });
    case "channel_changed":
      members.changed(event.owner.id);
      return api.get(`/api/v1/channels/${event.channel_id}`).then((channel) => head.on.changed(channel), failed);
    case "channel_deleted":
      say("This channel is gone.");
      return gone(event.channel_id);
    case "new_post":
      return isNews("posts") && posts.take(event.post);
    case "post_deleted":
      return posts.drop(event.post_id);
    default:
      if (isNews("posts")) posts.hear(event, api.user()?.id);
  }
}

function present(list) {
  members.present(list);
  listening.present(new Set(list.map((one) => one.user_id)));
}

function hearTransient(message) {
  people.hear(message);
  if (message.type.startsWith("playback_")) listening.hear(message);
  else posts.hear(message, api.user()?.id);
}

function hearFeed(event, isNews) {
  if (chosen() !== FEED || !isNews("feed")) return;
  if (event.type === "new_post") posts.take(event.post);
  else if (event.type === "post_deleted") posts.drop(event.post_id);
}

function hearOwn(event) {
  people.hear(event);
  if (event.type === "member_joined" || event.type === "member_left") {
    readChannels();
    if (event.channel_id !== head.channel?.id) return;
    if (event.type === "member_left" && head.channel.private) gone(event.channel_id);
    else api.get(`/api/v1/channels/${event.channel_id}`).then((channel) => head.on.changed(channel), () => gone(event.channel_id));
  } else if (event.post_id) posts.hear(event, api.user()?.id);
}

// --- the studio

function showStudio() {
  $("#studio").setAttribute("aria-checked", isInStudio);
  live?.send({ type: "presence", status: isInStudio ? "in_studio" : "online" });
}

$("#studio").onclick = () => {
  isInStudio = !isInStudio;
  showStudio();
  say(isInStudio ? "Others see you in the studio." : "Out of the studio.");
};

$("#follow").onsubmit = async (event) => {
  event.preventDefault();
  const { username } = Object.fromEntries(new FormData(event.target));
  try {
    const { status } = (await api.post(`/api/v1/users/${encodeURIComponent(username.trim())}/follow`)) ?? {};
    say(status === "requested" ? `${username} will be asked.` : `You follow ${username}.`);
    event.target.reset();
    readFeed();
  } catch (problem) {
    if (problem.code === "not_found") say(`Nobody is called ${username}.`, problem.code);
    else sayProblem(problem);
  }
};

/** Begin anew as somebody, or as nobody in particular. */
function begin(user) {
  live?.close();
  texts?.close();
  bell?.();
  player.stop();
  live = texts = bell = room = feed = null;
  isInStudio = false;
  $("#guest").hidden = Boolean(user);
  $("#desk").hidden = $("#studio").hidden = $("#bell").hidden = !user;
  $("#bell").replaceChildren();
  if (!user) {
    for (const [, editor] of editors) editor.close();
    head.leave();
    $("#state").textContent = $("#state").dataset.state = "looking";
    return;
  }
  people.learn(user);
  const ticket = async (fresh) => {
    if (fresh) await api.renew();
    return (await api.post("/ws/ticket")).ticket;
  };
  live = new Live({
    ticket,
    token: () => api.token({ fresh: true }),
    state: (word) => {
      $("#state").textContent = $("#state").dataset.state = word;
      if (word === "live" && isInStudio) showStudio();
    },
  });
  texts = new QuintetText({ url: location.origin, token: (fresh) => api.token({ fresh }), ticket });
  live.join(`user:${user.id}`, { event: hearOwn, transient: hearTransient, reread: readChannels });
  feed = live.join(FEED, { event: hearFeed, transient: hearTransient, reread: readFeed });
  bell = mountNotifications($("#bell"), { api, live });
  readChannels();
  show();
}

drawWave($("#guest-wave"), imagined());
$("#guest-in").onclick = () => invite();
addEventListener("hashchange", show);
api.onUser(begin);
begin(api.user());
