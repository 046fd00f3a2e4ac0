// What a client does, one thing at a time, against a server in memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { operation, toJson } from "../src/operation.js";
import { Server } from "./fake.js";

const ID = "a:b:c";

async function opened(server, options) {
  const client = server.client(options);
  let doc = null;
  client.open(ID).then((one) => (doc = one));
  await server.time.until(() => doc?.state === "live");
  doc.troubles = [];
  doc.on("lost", (what) => doc.troubles.push(what));
  return doc;
}

const operationsSaid = (server) => server.heard.filter((one) => one.type === "operation").map((one) => one.payload);

test("what is written comes to the other, and says when it is saved", async () => {
  const server = new Server();
  const [ada, ben] = [await opened(server), await opened(server)];
  const changes = [];
  ben.on("change", ({ delta, source }) => changes.push([source, delta]));
  ada.insert(0, "Hello 😀");
  assert.equal(ada.text, "Hello 😀");
  assert.equal(ada.isSaved, false);
  let isSaved = false;
  ada.saved().then(() => (isSaved = true));
  await server.time.until(() => isSaved);
  await server.time.until(() => ben.text === "Hello 😀");
  ben.delete(0, 6);
  ben.applyDelta([{ retain: 2 }, { insert: "!" }]);
  await server.time.until(() => ada.text === "😀!");
  assert.deepEqual(changes[0], ["remote", [{ insert: "Hello 😀" }]]);
  assert.equal(server.text, "😀!");
});

test("one operation is under way, and what is written meanwhile is one behind it", async () => {
  const server = new Server(2);
  const doc = await opened(server);
  for (const letter of "abcdef") doc.insert(doc.text.length, letter);
  await server.time.until(() => doc.isSaved);
  const said = operationsSaid(server);
  assert.deepEqual(said.map((one) => one.ops), [[{ insert: "a" }], [{ retain: 1 }, { insert: "bcdef" }]]);
  assert.deepEqual(said.map((one) => [one.session_seq, one.base_rev, one.unit]), [[1, 0, "utf16"], [2, 1, "utf16"]]);
  assert.equal(new Set(said.map((one) => one.session)).size, 1);
});

test("after a break the very same is said again, and counts once", async () => {
  const server = new Server(3);
  const [ada, ben] = [await opened(server), await opened(server)];
  ada.insert(0, "one");
  await server.time.until(() => server.rev === 1);
  server.breakAll(); // the ack is lost
  ben.insert(0, "two ");
  ada.insert(3, "!");
  await server.time.until(() => ada.isSaved && ben.isSaved && ada.text === ben.text);
  assert.equal(server.rev, 3);
  assert.equal(server.text, ada.text);
  assert.match(server.text, /one!/);
});

test("what did not arrive is said again just as it was, with the base it had", async () => {
  const server = new Server(4);
  const [ada, ben] = [await opened(server), await opened(server)];
  ada.insert(0, "one");
  server.breakAll(); // it is still on its way there
  await server.time.until(() => ben.state === "offline");
  server.commit(operation("zero "));
  await server.time.until(() => ada.isSaved);
  const said = operationsSaid(server);
  assert.deepEqual([said[0].base_rev, said[0].session_seq, said[0].ops], [0, 1, toJson(["one"])]);
  assert.equal(server.text, "onezero "); // committed later: to the left
  assert.equal(ada.text, server.text);
});

test("a hole is noticed, and what is missing asked for once", async () => {
  const server = new Server(20);
  const doc = await opened(server);
  const [socket] = server.sockets;
  socket.isJoined = false; // a bug of the server's
  server.commit(operation("a"));
  socket.isJoined = true;
  server.commit(operation(1, "b"));
  server.commit(operation(2, "c"));
  await server.time.until(() => doc.text === "abc");
  assert.deepEqual(server.heard.filter((one) => one.type === "subscribe").map((one) => one.since), [0, 0]);
});

test("what is told twice is done once, and nothing is asked for", async () => {
  const server = new Server(21);
  const doc = await opened(server);
  for (let n = 0; n < 30; n += 1) server.commit(operation(n, "x"));
  await server.time.until(() => doc.rev === 30);
  await server.time.pass(1_000);
  assert.equal(doc.text, "x".repeat(30));
  assert.equal(server.heard.filter((one) => one.type === "subscribe").length, 1);
});

test("what somebody else has deleted already is not sent", async () => {
  const server = new Server(22);
  server.begin("abc");
  const doc = await opened(server);
  doc.insert(3, "d");
  await server.time.until(() => operationsSaid(server).length === 1);
  doc.delete(0, 1); // behind what is under way
  server.commit(operation(-1), undefined, null);
  await server.time.until(() => doc.isSaved && doc.text === server.text);
  await server.time.pass(1_000);
  assert.equal(doc.text, "bcd");
  assert.ok(operationsSaid(server).every(({ ops }) => ops.length));
});

test("where subscribing may work later, it is tried again", async () => {
  const server = new Server(23);
  server.busy = 2;
  const doc = await opened(server);
  assert.equal(doc.state, "live");
  assert.equal(server.heard.filter((one) => one.type === "subscribe").length, 3);
});

test("far behind, one's own is brought over the history and said under the same number", async () => {
  const server = new Server(5);
  server.mostBehind = 3;
  const doc = await opened(server);
  doc.insert(0, "mine");
  server.breakAll();
  for (let n = 0; n < 6; n += 1) server.commit(operation(server.text.length, `${n}`));
  await server.time.until(() => doc.isSaved);
  assert.deepEqual(operationsSaid(server).map((one) => [one.session_seq, one.base_rev]), [[1, 0], [1, 6]]);
  assert.equal(server.text, "mine012345");
  assert.equal(doc.text, server.text);
  assert.deepEqual(doc.troubles, []);
});

test("a reset is made good from the history, one's own in it included", async () => {
  const server = new Server(6);
  server.replayReach = 2;
  const [ada, ben] = [await opened(server), await opened(server)];
  ada.insert(0, "ada");
  await server.time.until(() => server.rev === 1);
  server.breakAll();
  ada.insert(3, "!");
  for (let n = 0; n < 5; n += 1) server.commit(operation(server.text.length, `${n}`));
  await server.time.until(() => ada.isSaved && ben.rev === server.rev && ada.rev === server.rev);
  assert.equal(ada.text, "ada!01234");
  assert.equal(ben.text, ada.text);
  assert.deepEqual(ada.troubles, []);
});

test("where the history is gone, the server's text counts, and what is lost is said", async () => {
  const server = new Server(7);
  const doc = await opened(server);
  doc.insert(0, "mine");
  server.breakAll();
  for (let n = 0; n < 6; n += 1) server.commit(operation(server.text.length, `${n}`));
  server.floor = 4;
  await server.time.until(() => doc.text === "012345" && doc.state === "live");
  assert.deepEqual(doc.troubles, [{ why: "reset", text: "mine", pending: [[{ insert: "mine" }]] }]);
  doc.insert(6, "6");
  await server.time.until(() => doc.isSaved);
  assert.equal(server.text, "0123456");
});

test("another epoch is another text, with sessions that count from one", async () => {
  const server = new Server(8);
  const doc = await opened(server);
  doc.insert(0, "mine");
  await server.time.until(() => doc.isSaved);
  server.breakAll();
  server.begin("restored", "second");
  await server.time.until(() => doc.text === "restored" && doc.state === "live");
  doc.insert(8, "!");
  await server.time.until(() => doc.isSaved);
  const [first, second] = operationsSaid(server);
  assert.deepEqual([second.epoch, second.session_seq, second.base_rev], ["second", 1, 0]);
  assert.notEqual(first.session, second.session);
});

test("a session that the server has forgotten is begun anew, and nothing is lost", async () => {
  const server = new Server(18);
  const doc = await opened(server);
  doc.insert(0, "one");
  await server.time.until(() => doc.isSaved);
  server.answers.clear();
  doc.insert(3, " two");
  await server.time.until(() => doc.isSaved);
  const said = operationsSaid(server);
  assert.deepEqual(said.map((one) => one.session_seq), [1, 2, 1]);
  assert.notEqual(said[2].session, said[1].session);
  assert.equal(server.text, "one two");
  assert.deepEqual(doc.troubles, []);
});

test("a number that was used for something else is not tried for ever", async () => {
  const server = new Server(19);
  const doc = await opened(server);
  doc.insert(0, "one");
  await server.time.until(() => doc.isSaved);
  server.answers.set(operationsSaid(server)[0].session, { seq: 2, said: [], ack: {} });
  doc.insert(3, " two");
  await server.time.until(() => doc.troubles.length);
  assert.deepEqual([doc.troubles[0].why, doc.text], ["seq_reused", "one"]);
  doc.insert(3, " three");
  await server.time.until(() => doc.isSaved);
  assert.equal(server.text, "one three");
});

test("an operation that is refused for good is taken back, and said to be lost", async () => {
  const server = new Server(9);
  const doc = await opened(server);
  server.refusing = { code: "forbidden", retryable: false };
  doc.insert(0, "mine");
  await server.time.until(() => doc.troubles.length);
  assert.equal(doc.troubles[0].why, "forbidden");
  assert.equal(doc.text, "");
  server.refusing = null;
});

test("an operation that may come later does", async () => {
  const server = new Server(10);
  const doc = await opened(server);
  server.refusing = { code: "rate_limited", retryable: true };
  doc.insert(0, "mine");
  await server.time.until(() => operationsSaid(server).length > 1);
  server.refusing = null;
  await server.time.until(() => doc.isSaved);
  assert.equal(server.text, "mine");
  assert.equal(new Set(operationsSaid(server).map((one) => JSON.stringify(one.ops))).size, 1);
});

test("a text that is not the server's is noticed and read again", async () => {
  const server = new Server(11);
  const doc = await opened(server);
  const diverged = [];
  doc.on("diverged", (what) => diverged.push(what));
  server.tellState();
  await server.time.pass(1_000);
  assert.deepEqual(diverged, []);
  server.text = "what nobody told";
  server.tellState();
  await server.time.until(() => doc.text === server.text);
  assert.equal(diverged.length, 1);
});

test("a large paste goes in pieces, and arrives whole", async () => {
  const server = new Server(12);
  const doc = await opened(server);
  const pasted = "Zeile 😀\n".repeat(6_000);
  doc.insert(0, pasted);
  await server.time.until(() => doc.isSaved);
  assert.equal(server.text, pasted);
  for (const { ops } of operationsSaid(server)) {
    const inserted = ops.map((one) => one.insert ?? "").join("");
    assert.ok(Buffer.byteLength(inserted) <= 16 * 1024);
    assert.ok(Buffer.byteLength(JSON.stringify(ops)) < 60 * 1024);
  }
});

test("a refused token is asked for anew, once", async () => {
  const server = new Server(13);
  server.goodToken = "second";
  const asked = [];
  const token = (fresh) => {
    asked.push(fresh);
    return asked.includes(true) ? "second" : "first";
  };
  const doc = await opened(server, { token });
  assert.equal(doc.state, "live");
  assert.deepEqual(asked.slice(0, 2), [false, true]);
  const states = [];
  const client = server.client({ token: "wrong" });
  client.on("state", (state) => states.push(state));
  await server.time.until(() => states.includes("signed out"));
});

test("a document that is not there is not opened", async () => {
  const server = new Server(14);
  let why = null;
  server.client().open("hidden:b:c").catch((problem) => (why = problem.code));
  await server.time.until(() => why);
  assert.equal(why, "not_found");
});

test("what cannot be written is refused at once", async () => {
  const doc = await opened(new Server(15));
  doc.insert(0, "a😀b");
  for (const bad of [() => doc.insert(9, "x"), () => doc.insert(2, "x"), () => doc.delete(1, 1), () => doc.insert(0, "\0"),
    () => doc.insert(0, "\ud83d"), () => doc.delete(0, 9), () => doc.insert(NaN, "x")]) {
    assert.throws(bad, RangeError);
  }
  assert.equal(doc.text, "a😀b");
});

test("cursors move with the text, each behind what its owner writes", async () => {
  const server = new Server(16);
  const [ada, ben] = [await opened(server), await opened(server)];
  ada.insert(0, "some text");
  await server.time.until(() => ben.text === "some text");
  ada.setCursor(5);
  await server.time.until(() => ben.cursors.length === 1);
  assert.equal(ben.cursors[0].position, 5);
  ben.insert(0, "ben: ");
  assert.equal(ben.cursors[0].position, 10);
  ada.insert(5, "more ");
  await server.time.until(() => ben.text === "ben: some more text");
  assert.equal(ben.cursors[0].position, 15);
  server.breakAll();
  await server.time.until(() => ben.cursors.length === 0);
  await server.time.until(() => ben.cursors.length === 1); // told again after the break
});

test("who comes later learns where the others are", async () => {
  const server = new Server(24);
  const ada = await opened(server);
  ada.insert(0, "text");
  ada.setCursor(2);
  await server.time.until(() => server.heard.at(-1).type === "cursor");
  const ben = await opened(server);
  await server.time.until(() => ben.cursors[0]?.position === 2);
});

test("a closed document is left, and can be opened again", async () => {
  const server = new Server(17);
  const client = server.client();
  let doc = null;
  client.open(ID).then((one) => (doc = one));
  await server.time.until(() => doc?.state === "live");
  doc.close();
  assert.throws(() => doc.insert(0, "x"));
  await server.time.until(() => server.heard.at(-1).type === "unsubscribe");
  client.open(ID).then((one) => (doc = one));
  await server.time.until(() => doc.state === "live");
  doc.insert(0, "again");
  await server.time.until(() => server.text === "again");
  client.close();
  assert.equal(doc.state, "closed");
});
