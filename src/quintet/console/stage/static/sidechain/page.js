// Sidechain's page: brings together channels, people, texts, posts and sounds, the rooms and the server.

import { invite, say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { folding } from "../shared/folding.js";
import { Live } from "../shared/live.js";
import { ChannelHead } from "./channel.js";
import { Channels } from "./channels.js";
import { Composer } from "./composer.js";
import { $ } from "./drawing.js";
import { listenToFollowing } from "./following.js";
import { Listening } from "./listening.js";
import { Members } from "./members.js";
import { mountNotifications } from "./notifications.js";
import { People } from "./people.js";
import { Player } from "./player.js";
import { Posts } from "./posts.js";
import { Studio } from "./studio.js";
import { Texts } from "./texts.js";
import { drawWave, imagined } from "./waveform.js";

const FEED = "feed";
const FEED_MS = 30_000; // its own room tells of those one follows, not of what is posted in one's channels
let live = null;
let bell = null;
let room = null; // of the channel that is shown
let feed = null; // the room of one's feed
let turn = null; // of showing something; what is read for an older one is not shown; `isOpen` is to be tried again

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
const studio = new Studio((message) => live?.send(message));
const texts = new Texts(people.userOf);

// --- what is shown

const chosen = () => location.hash.slice(1) || FEED;
const shows = (post) => chosen() === FEED || post.channel_id === head.channel?.id;

/** Show what the address names. */
async function show() {
  if (!api.user()) return;
  const id = chosen();
  const own = (turn = {});
  room = null;
  if (head.channel) live.leave(`channel:${head.channel.id}`);
  texts.close();
  posts.clear();
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
  const path = `/api/v1/channels/${encodeURIComponent(id)}`;
  let channel;
  try {
    channel = await api.get(path);
  } catch (problem) {
    if (turn !== own) return;
    if (!problem.passes) location.hash = FEED;
    own.isOpen = problem.passes;
    return sayProblem(problem);
  }
  if (turn !== own) return;
  posts.show(`${path}/posts`, { none: "No posts yet. The first sketch is the hardest; anything goes.", isOwner: channel.role === "owner" });
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
  if (isOther) texts.show(channel);
}

/** Go to what a notification is about. */
async function openNotified({ channel_id: channelId, post_id: postId }) {
  try {
    const id = channelId ?? (await api.get(`/api/v1/posts/${postId}`)).channel_id ?? FEED;
    posts.look(postId);
    if (id === chosen()) posts.find();
    else location.hash = id;
  } catch (problem) {
    sayProblem(problem);
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
    // Those of the channel that is shown are told in its own room; here, an older one might come after a newer reading.
  } else if (event.post_id && event.channel_id !== head.channel?.id) posts.hear(event, api.user()?.id);
}

/** Begin anew as somebody, or as nobody in particular. */
function begin(user) {
  live?.close();
  texts.end();
  bell?.();
  player.stop();
  live = bell = room = feed = turn = null;
  studio.forget();
  $("#guest").hidden = Boolean(user);
  $("#desk").hidden = $("#studio").hidden = $("#bell").hidden = !user;
  if (!user) {
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
      if (word !== "live") return;
      studio.tell();
      if (turn?.isOpen) show();
    },
  });
  texts.begin(ticket, (fresh) => api.token({ fresh }));
  live.join(`user:${user.id}`, { event: hearOwn, transient: hearTransient, reread: readChannels });
  feed = live.join(FEED, { event: hearFeed, transient: hearTransient, reread: readFeed });
  bell = mountNotifications($("#bell"), { api, live, open: openNotified });
  readChannels();
  show();
}

listenToFollowing(() => readFeed());
setInterval(() => document.hidden || readFeed(), FEED_MS);
drawWave($("#guest-wave"), imagined());
$("#guest-in").onclick = () => invite();
addEventListener("hashchange", () => show().then(() => $(chosen() === FEED ? "#feed-heading" : "#channel-name").focus()));
api.onUser(begin);
begin(api.user());
