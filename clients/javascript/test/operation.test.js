// The mathematics against the server's, on operations that Python made (tests/clients/vectors.py).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as ot from "../src/operation.js";
import { chance } from "./chance.js";

const { fields, vectors } = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url)));
const VECTORS = vectors.map((one) => Object.fromEntries(fields.map((name, place) => [name, one[place]])));

test("transforming, composing, applying and moving a cursor are the server's", () => {
  for (const one of VECTORS) {
    const told = JSON.stringify(one);
    assert.deepEqual(ot.transform(one.later, one.earlier, true), one.moved_later, told);
    assert.deepEqual(ot.transform(one.earlier, one.later, false), one.moved_earlier, told);
    assert.equal(ot.apply(ot.apply(one.text, one.earlier), one.moved_later), one.merged, told);
    assert.equal(ot.apply(ot.apply(one.text, one.later), one.moved_earlier), one.merged, told);
    assert.deepEqual(ot.compose(one.earlier, one.then), one.both, told);
    assert.equal(ot.apply(ot.apply(one.text, one.earlier), one.back), one.text, told);
    assert.equal(ot.transformPosition(one.position, one.earlier), one.moved_position, told);
    assert.deepEqual(ot.fromJson(ot.toJson(one.earlier)), ot.operation(...one.earlier), told);
  }
  console.log(`${VECTORS.length} pairs: Python and JavaScript agree`);
});

test("plain steps, one after the other, do what the operation does", () => {
  for (const { text, earlier, steps } of VECTORS) {
    let now = text;
    for (const [type, position, content] of steps) {
      if (type === "Delete") assert.equal(now.slice(position, position + content.length), content);
      now = ot.apply(now, ot.operation(position, type === "Insert" ? content : -content.length));
    }
    assert.equal(now, ot.apply(text, earlier));
  }
});

test("a cut operation does the same in two", () => {
  for (const { text, earlier } of VECTORS) {
    for (const [parts, bytes] of [[2, 1000], [3, 20], [900, 14]]) {
      const [first, second] = ot.split(earlier, parts, bytes);
      assert.equal(ot.apply(ot.apply(text, first), second), ot.apply(text, earlier));
      assert.ok(first.length || !earlier.length);
    }
  }
  for (const text of ["😀".repeat(10_000), `a${"😀".repeat(10_000)}`]) {
    const [[, first]] = ot.split([3, text], 900, 15 * 1024);
    assert.ok(Buffer.byteLength(first) <= 15 * 1024);
    assert.ok(first.length > 3_000 && !ot.cutsPair(text, first.length));
  }
});

test("the difference of two texts turns one into the other, and cuts no emoji", () => {
  const random = chance(3);
  for (const { text, merged } of VECTORS) {
    for (const caret of [undefined, Math.floor(random() * (merged.length + 1))]) {
      const { start, end, text: put } = ot.difference(text, merged, caret);
      assert.equal(text.slice(0, start) + put + text.slice(end), merged);
      assert.ok(start <= end && !ot.cutsPair(text, start) && !ot.cutsPair(text, end));
    }
  }
  assert.deepEqual(ot.difference("aa", "aaa", 1), { start: 0, end: 0, text: "a" });
  assert.deepEqual(ot.difference("aa", "aaa", 3), { start: 2, end: 2, text: "a" });
  assert.deepEqual(ot.difference("x😀", "x😁"), { start: 1, end: 3, text: "😁" });
  assert.deepEqual(ot.difference("\u{1f600}x", "\u{1fa00}x", 2), { start: 0, end: 2, text: "\u{1fa00}" });
});

test("a position before an operation comes back to where it was", () => {
  for (const { text, earlier, position } of VECTORS) {
    const before = ot.positionBefore(ot.transformPosition(position, earlier), earlier);
    const gone = earlier.some((part) => part < 0);
    if (!gone) assert.equal(before, position, JSON.stringify([text, earlier, position]));
  }
  assert.equal(ot.positionBefore(4, [2, "abcd", -2]), 2);
  assert.equal(ot.positionBefore(7, [2, "abcd", -2]), 5);
});

test("one's own insertion takes the cursor along, others' leave it", () => {
  assert.equal(ot.transformPosition(2, [2, "abc"]), 2);
  assert.equal(ot.transformPosition(2, [2, "abc"], true), 5);
  assert.equal(ot.transformPosition(2, [1, "abc"]), 5);
  assert.equal(ot.transformPosition(3, [1, -5]), 1);
});
