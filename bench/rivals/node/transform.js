// How many transforms a second the npm text types do, on pairs read from standard input: [[op, over, "left"], …].
const pairs = JSON.parse(require("fs").readFileSync(0, "utf8"));
const seconds = Number(process.argv[3]);
const type = process.argv[2] === "ot-text" ? require("ot-text").type : require("ot-text-unicode").type;
const given = type.name === "text-unicode" ? pairs.map(([a, b, side]) => [codePoints(a), codePoints(b), side]) : pairs;

function codePoints(op) {
  return type.normalize(op);
}

let count = 0;
let length = 0;
const run = (until) => {
  while (process.hrtime.bigint() < until) {
    for (const [op, over, side] of given) length += type.transform(op, over, side).length;
    count += given.length;
  }
};
const after = (part) => process.hrtime.bigint() + BigInt(Math.round(part * 1e9));
run(after(seconds / 2)); // warm
count = 0;
const began = process.hrtime.bigint();
run(after(seconds));
const took = Number(process.hrtime.bigint() - began) / 1e9;
process.stdout.write(JSON.stringify({ per_second: count / took, length }));
