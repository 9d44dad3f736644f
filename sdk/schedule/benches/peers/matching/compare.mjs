// Compares what all find of one case, then how long they take: `compare.mjs HUDDLE SEED`, HUDDLE being the program of
// huddle.rs.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
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
const NOTE = `
All rules: also buffers, notice, caps a day and a week, and 20 meetings of which one is moved. There we rank by all that
we know; else, and in the peers always, what the guest prefers comes first, then what is soonest: where the slots are
the same, so is the worth of the top five. All get the events in the types that they take, in no order. The ratio is of
the least times: other work on the machine prolongs long runs more often than short ones.`;

const [program, seed] = process.argv.slice(2);
const thisCase = makeCase(Number(seed));
const emptyCase = { ...thisCase };
for (const person of ["host", "guest"]) emptyCase[person] = { ...thisCase[person], events: [] };

function huddle(thatCase, runs) {
  const file = fileURLToPath(new URL("case.json", import.meta.url));
  writeFileSync(file, JSON.stringify(thatCase));
  return JSON.parse(execFileSync(program, [file, String(runs)]));
}

/** The starts of the top five: when the guest prefers, then soon. No peer ranks by itself. */
function topFive(slots) {
  const [from, to] = thisCase.prefers;
  const unloved = ({ local }) => Number(local < from || local >= to);
  return slots.toSorted((a, b) => unloved(a) - unloved(b) || a.start - b.start).slice(0, 5).map(({ start }) => start);
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const without = (some, others) => some.filter((start) => !others.includes(start)).length;
const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

/** What a peer finds beside what we find. Where its rules can say what the case says, any difference ends the run. */
function check(peer, ours, oursOfEmpty) {
  const starts = (slots) => slots.map(({ start }) => start);
  const differences = (free, expected) => [without(free, expected), without(expected, free)];
  const slots = peer.free(peer.prepare(thisCase));
  const free = starts(slots);
  const [more, less] = differences(free, starts(ours.ranked));
  const wrong = [];
  if (!peer.differs && more + less > 0) wrong.push(`finds ${more} slots that we do not, and misses ${less} of ours`);
  if (peer.rules === "plain") {
    const candidates = starts(peer.free(peer.prepare(emptyCase)));
    if (!isSame(differences(candidates, starts(oursOfEmpty.ranked)), [0, 0])) wrong.push("has other candidates");
    // Slots of the same worth stand in another order with us.
    const worth = new Map(ours.ranked.map(({ start, worth }) => [start, worth]));
    const expected = ours.ranked.slice(0, 5).map(({ worth }) => worth);
    const found = topFive(slots).map((start) => worth.get(start));
    if (!peer.differs && !isSame(found, expected)) wrong.push("has a worse top five");
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
if (oursOfEmpty.plain.ranked.length !== CANDIDATES) {
  throw new Error(`the case has ${oursOfEmpty.plain.ranked.length} candidates in place of ${CANDIDATES}`);
}
const rowsOf = (rules) => [
  { name: "huddle-schedule", rules, free: ours[rules].ranked.length, times: [] },
  ...peers
    .filter((peer) => peer.rules === rules)
    .map((peer) => ({
      ...check(peer, ours[rules], oursOfEmpty[rules]),
      peer,
      input: peer.prepare(thisCase),
      times: [],
    })),
];
const groups = Object.keys(TITLES).map((rules) => [rules, rowsOf(rules)]);

for (let round = 0; round < ROUNDS; round++) {
  const found = huddle(thisCase, HUDDLE_RUNS);
  for (const { peer, input, rules, times } of groups.flatMap(([, rows]) => rows)) {
    const taken = peer ? [timed(() => topFive(peer.free(input)))] : found[rules].nanos.map((nanos) => nanos / 1e6);
    if (round >= WARM_UP) times.push(...taken);
  }
}

const line = (...cells) => cells.map((cell, index) => (index ? String(cell).padStart(11) : cell.padEnd(28))).join("");
console.log(`${CANDIDATES} candidates in 30 days, minus 1,000 events each of host and guest, top 5; seed ${seed}`);
console.log(`Node.js ${process.version}, ${cpus().length} cores, ${cpus()[0].model}; ${ROUNDS - WARM_UP} rounds`);
for (const [rules, rows] of groups) {
  console.log(`\n${line(TITLES[rules], "free slots", "differ", "median ms", "least ms", "ratio")}`);
  const unit = Math.min(...rows[0].times);
  for (const { name, free, more, less, times, peer } of rows) {
    const least = Math.min(...times);
    const differ = peer ? more + less : "";
    const [middle, ratio] = [median(times).toFixed(3), (least / unit).toFixed(0)];
    console.log(line(`  ${name}`, free, differ, middle, least.toFixed(3), ratio));
  }
}
for (const { name, more, less, peer } of groups.flatMap(([, rows]) => rows)) {
  if (!peer?.differs) continue;
  console.log(`\n${name} finds ${more} slots that we do not, and misses ${less} of ours:\n${peer.differs}.`);
}
console.log(NOTE);
