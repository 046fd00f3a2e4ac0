// How many transforms a second a text type of npm does, on pairs from standard input: [[op, over, "left"], …].
const [, , name, seconds] = process.argv;
const pairs = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { type } = require(name);

/** Go round all pairs for so long: how often, and how many parts came out in the last round. */
function run(length) {
  const began = process.hrtime.bigint();
  let rounds = 0;
  let parts = 0;
  let took = 0;
  while (took < length) {
    parts = 0;
    for (const [op, over, side] of pairs) parts += type.transform(op, over, side).length;
    rounds += 1;
    took = Number(process.hrtime.bigint() - began) / 1e9;
  }
  return { per_second: (rounds * pairs.length) / took, parts };
}

run(seconds / 2); // warm
process.stdout.write(JSON.stringify(run(seconds)));
