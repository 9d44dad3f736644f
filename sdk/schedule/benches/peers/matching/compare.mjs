// Compares what all find of one case, then how long they take: `compare.mjs HUDDLE SEED`, HUDDLE being the program of
// huddle.rs.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { makeCase } from "./case.mjs";
import { peers } from "./peers.mjs";

/** Each in turn, so that whatever else the machine does falls on all; the first ones only warm up. */
const ROUNDS = 12;
const WARM_UP = 2;
const HUDDLE_RUNS = 200;
const CANDIDATES = 336;
const TITLES = {
  all: "all rules",
  plain: "free time alone",
};
const NOTE = `All rules: also buffers, notice, caps a day and a week, and 20 meetings of which one is moved; ours ranks by all that it
knows, for which the peers have no rules. Elsewhere all rank by what the guest prefers, then by what is soonest, and
the top five are the same wherever the slots are. Peers get the events in the types that they take, which is not timed.`;

const [program, seed] = process.argv.slice(2);
const thisCase = makeCase(Number(seed));
const emptyCase = { ...thisCase };
for (const person of ["host", "guest"]) emptyCase[person] = { ...thisCase[person], events: [] };

function huddle(thatCase, runs) {
  const file = new URL("case.json", import.meta.url);
  writeFileSync(file, JSON.stringify(thatCase));
  return JSON.parse(execFileSync(program, [file.pathname, String(runs)], { maxBuffer: 1 << 26 }));
}

/** The starts of the five best: when the guest prefers, then soon. No peer ranks by itself. */
function best(slots) {
  const [from, to] = thisCase.prefers;
  const unloved = ({ local }) => Number(local < from || local >= to);
  return slots.toSorted((a, b) => unloved(a) - unloved(b) || a.start - b.start).slice(0, 5).map(({ start }) => start);
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const starts = (slots) => slots.map(({ start }) => start).sort((a, b) => a - b);
const without = (some, others) => some.filter((start) => !others.includes(start)).length;
const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

/** What a peer finds beside what we find. Where its rules can say what the case says, any difference ends the run. */
function check(peer, ours, oursOfEmpty) {
  const slots = peer.free(peer.prepare(thisCase));
  const free = starts(slots);
  const [more, less] = [without(free, ours.free), without(ours.free, free)];
  const wrong = [];
  if (!peer.differs && more + less > 0) wrong.push(`finds ${more} slots that we do not, and misses ${less} of ours`);
  if (peer.rules === "plain") {
    if (!isSame(starts(peer.free(peer.prepare(emptyCase))), oursOfEmpty.free)) wrong.push("has other candidates");
    if (!peer.differs && !isSame(best(slots), ours.best)) wrong.push("has another top five");
  }
  if (wrong.length > 0) throw new Error(`${peer.name}, rules ${peer.rules}: ${wrong.join("; ")}; nothing was timed`);
  return { name: peer.name, free: free.length, more, less };
}

function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const ours = huddle(thisCase, 1);
const oursOfEmpty = huddle(emptyCase, 1);
if (oursOfEmpty.plain.free.length !== CANDIDATES) throw new Error(`the case has ${oursOfEmpty.plain.free.length} candidates`);
const rowsOf = (rules) => [
  { name: "huddle-schedule", rules, free: ours[rules].free.length, times: [] },
  ...peers
    .filter((peer) => peer.rules === rules)
    .map((peer) => ({ ...check(peer, ours[rules], oursOfEmpty[rules]), peer, input: peer.prepare(thisCase), times: [] })),
];
const groups = Object.keys(TITLES).map((rules) => [rules, rowsOf(rules)]);

for (let round = 0; round < ROUNDS; round++) {
  const found = huddle(thisCase, HUDDLE_RUNS);
  for (const { peer, input, rules, times } of groups.flatMap(([, rows]) => rows)) {
    const taken = peer ? [timed(() => best(peer.free(input)))] : found[rules].nanos.map((nanos) => nanos / 1e6);
    if (round >= WARM_UP) times.push(...taken);
  }
}

const line = (...cells) => cells.map((cell, index) => (index ? String(cell).padStart(11) : cell.padEnd(28))).join("");
console.log(`${CANDIDATES} candidates in 30 days, minus 1,000 events of the host and 1,000 of the guest, top 5; seed ${seed}`);
console.log(`Node.js ${process.version}, ${cpus().length} cores, ${cpus()[0].model}; medians of ${ROUNDS - WARM_UP} rounds`);
for (const [rules, rows] of groups) {
  console.log(`\n${line(TITLES[rules], "free slots", "differ", "ms", "ratio")}`);
  const unit = median(rows[0].times);
  for (const { name, free, more, less, times, peer } of rows) {
    const millis = median(times);
    const differ = peer ? more + less : "";
    console.log(line(`  ${name}`, free, differ, millis.toFixed(3), (millis / unit).toFixed(0)));
  }
}
for (const { name, more, less, peer } of groups.flatMap(([, rows]) => rows)) {
  if (peer?.differs) console.log(`\n${name} finds ${more} slots that we do not, and misses ${less} of ours: ${peer.differs}.`);
}
console.log(`\n${NOTE}`);
