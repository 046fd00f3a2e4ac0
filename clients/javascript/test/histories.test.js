// Many writers on one document, over a network that is late, repeats itself and breaks: one text in the end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { operation } from "../src/operation.js";
import { Server } from "./fake.js";

const HISTORIES = Number(process.env.HISTORIES ?? 150);
const LETTERS = ["a", "b", "c", " ", "ä", "漢", "😀", "🎹", "e\u0301"];

/** Any change of a text, which cuts no emoji. */
function change(random, text) {
  const number = (below) => Math.floor(random() * below);
  const place = () => {
    const at = number(text.length + 1);
    return /[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at;
  };
  const [start, end] = [place(), place()].sort((a, b) => a - b);
  const put = LETTERS[number(LETTERS.length)].repeat(1 + number(3));
  if (random() < 0.6 || !text) return operation(start, put);
  if (random() < 0.6) return operation(start, start - end);
  return random() < 0.5 ? operation(start, put, start - end) : operation(start, start - end, put);
}

/** Some writers write for a while, through all kinds of trouble; what each of them has when it is over. */
async function history(seed, edit) {
  const server = new Server(seed, { slowest: 5 + (seed % 7) * 40 });
  const { random, time } = server;
  server.replayReach = seed % 3 ? Infinity : 5;
  server.mostBehind = seed % 4 ? Infinity : 8;
  server.unreachable = seed % 5 ? 0 : 0.2;
  const clients = Array.from({ length: 2 + (seed % 5) }, () => server.client());
  const opening = Promise.all(clients.map((client) => client.open("a:b:c")));
  let docs = null;
  opening.then((opened) => (docs = opened));
  await time.until(() => docs);
  const troubles = [];
  for (const doc of docs) {
    doc.on("lost", (what) => troubles.push(["lost", what]));
    doc.on("diverged", (what) => troubles.push(["diverged", what]));
  }
  for (let step = 0; step < 40; step += 1) {
    edit(docs[Math.floor(random() * docs.length)], random, step);
    const fate = random();
    if (fate < 0.05) server.breakAll();
    else if (fate < 0.15 && server.sockets.size) [...server.sockets][Math.floor(random() * server.sockets.size)].break(1006);
    else if (fate < 0.17) {
      server.isDown = true;
      server.breakAll();
    } else if (fate < 0.3) server.isDown = false;
    else if (fate < 0.4) server.tellState();
    await time.pass(random() * 300);
  }
  server.isDown = false;
  server.unreachable = 0;
  await time.until(() => docs.every((doc) => doc.state === "live" && doc.isSaved && doc.rev === server.rev));
  server.tellState();
  await time.pass(1_000);
  for (const client of clients) client.close();
  assert.deepEqual(troubles, [], `seed ${seed}`);
  for (const doc of docs) assert.equal(doc.text, server.text, `seed ${seed}`);
  return server;
}

test("random histories converge, whatever is lost, late or told twice", async () => {
  let operations = 0;
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const server = await history(seed, (doc, random) => doc.apply(change(random, doc.text)));
    operations += server.rev;
  }
  console.log(`${HISTORIES} histories, ${operations} operations: one text for all`);
});

test("nothing that was written is lost, and nothing comes twice", async () => {
  let marks = 0;
  for (let seed = 1; seed <= HISTORIES / 3; seed += 1) {
    const written = [];
    const server = await history(seed, (doc, random, step) => {
      const mark = `<${step}>`;
      written.push(mark);
      const gaps = [...doc.text.matchAll(/>|^/g)].map((found) => found.index + found[0].length);
      doc.insert(gaps[Math.floor(random() * gaps.length)], mark);
    });
    assert.deepEqual(server.text.match(/<\d+>/g).sort(), written.sort(), `seed ${seed}`);
    assert.equal(server.text.length, written.join("").length);
    marks += written.length;
  }
  console.log(`${marks} marks written, each there once`);
});
