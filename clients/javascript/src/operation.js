// Operational transform of text in UTF-16 units: pure mathematics, the same as the server's
// (src/quintet/domains/documents/ot), which test/vectors.json holds both to.
//
// An operation is an array of parts that walk over a text from its start: a positive number keeps so many units, a
// string is inserted, a negative number deletes so many. [5, "abc", -3] keeps five, inserts "abc", deletes three and
// keeps the rest. The order of the parts is kept; an operation is never changed once it is made.

/** @typedef {number | string} Part */
/** @typedef {readonly Part[]} Operation */

const isText = (part) => typeof part === "string";
const sizeOf = (part) => (isText(part) ? part.length : Math.abs(part));

/** Add a part at the end, joined with a neighbour of its kind; an empty one adds nothing. */
function append(parts, part) {
  if (!part) return;
  const last = parts[parts.length - 1];
  const joins = isText(part) ? isText(last) : !isText(last) && last > 0 === part > 0;
  if (parts.length && joins) parts[parts.length - 1] = last + part;
  else parts.push(part);
}

/** The parts as an operation, without what is only kept at the end. */
function finished(parts) {
  const last = parts[parts.length - 1];
  if (!isText(last) && last > 0) parts.pop();
  return parts;
}

/** The next part, which is the list's last, or the head of it where it is longer than `most`. */
function take(rest, most) {
  const part = rest.pop();
  if (sizeOf(part) <= most) return part;
  const head = isText(part) ? part.slice(0, most) : most * Math.sign(part);
  rest.push(isText(part) ? part.slice(most) : part - head);
  return head;
}

/** @returns {Operation} the parts in their order, joined and without what says nothing */
export function operation(...parts) {
  const made = [];
  for (const part of parts) append(made, part);
  return finished(made);
}

/** @returns {Operation} of a list of `{retain}`, `{insert}` and `{delete}` */
export const fromJson = (ops) => operation(...ops.map((one) => one.insert ?? one.retain ?? -one.delete));

/** @param {Operation} op */
export const toJson = (op) =>
  op.map((part) => (isText(part) ? { insert: part } : part > 0 ? { retain: part } : { delete: -part }));

/** The text afterwards. @param {string} text @param {Operation} op @throws {RangeError} where the text is too short */
export function apply(text, op) {
  let at = 0;
  let after = "";
  for (const part of op) {
    if (isText(part)) after += part;
    else if (part > 0) after += text.slice(at, (at += part));
    else at -= part;
  }
  if (at > text.length) throw new RangeError(`it speaks of ${at} units, and the text has ${text.length}`);
  return after + text.slice(at);
}

/** One operation that does what the two do one after the other. @returns {Operation} */
export function compose(first, second) {
  const made = [];
  const rest = [...first].reverse();
  for (const part of second) {
    if (isText(part)) {
      append(made, part);
      continue;
    }
    let left = Math.abs(part);
    while (left && rest.length) {
      if (rest[rest.length - 1] < 0) {
        append(made, rest.pop());
        continue;
      }
      const earlier = take(rest, left);
      left -= sizeOf(earlier);
      if (part > 0) append(made, earlier);
      else if (!isText(earlier)) append(made, -earlier);
    }
    append(made, part > 0 ? left : -left);
  }
  while (rest.length) append(made, rest.pop());
  return finished(made);
}

/**
 * `op` as it reads after `over`, both made on the same text. `later`: `op` is the one committed later, so that its
 * insertion stands to the left of the other's at the same place. Walk a history one by one, never composed.
 * @param {Operation} op @param {Operation} over @param {boolean} later @returns {Operation}
 */
export function transform(op, over, later) {
  const made = [];
  const rest = [...op].reverse();
  for (const other of over) {
    if (isText(other)) {
      if (later && isText(rest[rest.length - 1])) append(made, rest.pop());
      append(made, other.length);
      continue;
    }
    let left = Math.abs(other);
    while (left && rest.length) {
      if (isText(rest[rest.length - 1])) {
        append(made, rest.pop());
        continue;
      }
      const part = take(rest, left);
      left -= sizeOf(part);
      if (other > 0) append(made, part);
    }
  }
  while (rest.length) append(made, rest.pop());
  return finished(made);
}

/** Where a cursor is after `over`; text inserted right at it comes after it, unless it is one's own. */
export function transformPosition(position, over, isOwn = false) {
  let at = 0;
  for (const part of over) {
    if (at > position || (at === position && !(isOwn && isText(part)))) break;
    if (isText(part)) position += part.length;
    if (isText(part) || part > 0) at += sizeOf(part);
    else position = Math.max(at, position + part);
  }
  return position;
}

/** Where a position after `op` was before it; inside what `op` inserted, it is the place of the insertion. */
export function positionBefore(position, op) {
  let before = 0;
  let after = 0;
  for (const part of op) {
    if (!isText(part) && part < 0) {
      before -= part;
      continue;
    }
    if (after + sizeOf(part) > position) return isText(part) ? before : before + position - after;
    after += sizeOf(part);
    if (!isText(part)) before += part;
  }
  return before + position - after;
}

const UTF8 = new TextEncoder();
const weight = (text) => UTF8.encode(JSON.stringify(text)).length;

/** Whether a position lies inside a surrogate pair, where nothing may be written or deleted. */
export const cutsPair = (text, at) =>
  /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "");

/**
 * One operation as two, where it is too large to be sent: the first is at most so many parts and bytes.
 * @param {Operation} op @returns {[Operation, Operation]} the second is made on the text after the first
 */
export function split(op, mostParts, mostBytes) {
  const first = [];
  const rest = [...op].reverse();
  let room = mostBytes;
  let passed = 0;
  while (rest.length && first.length < mostParts) {
    const part = rest.pop();
    if (!isText(part)) {
      first.push(part);
      if (part > 0) passed += part;
      continue;
    }
    let size = part.length;
    while (size && weight(part.slice(0, size)) > room) size = Math.floor(size / 2);
    if (cutsPair(part, size)) size -= 1;
    if (!size) {
      rest.push(part);
      break;
    }
    first.push(part.slice(0, size));
    passed += size;
    room -= weight(part.slice(0, size));
    if (size < part.length) {
      rest.push(part.slice(size));
      break;
    }
  }
  return [operation(...first), rest.length ? operation(passed, ...rest.reverse()) : []];
}

/**
 * What was changed between two texts: `before` from `start` to `end` became `text`. `caret`, a place in `after` behind
 * the change, tells which of several equal letters were typed or deleted.
 */
export function difference(before, after, caret = after.length) {
  const shorter = Math.min(before.length, after.length);
  let tail = 0;
  while (tail < Math.min(shorter, after.length - caret) && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  let head = 0;
  while (head < shorter - tail && before[head] === after[head]) head += 1;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  // Two emoji may share half of themselves; what both texts share of a surrogate pair is cut in both, or in none.
  if (cutsPair(before, head)) head -= 1;
  if (cutsPair(before, before.length - tail)) tail -= 1;
  return { start: head, end: before.length - tail, text: after.slice(head, after.length - tail) };
}
