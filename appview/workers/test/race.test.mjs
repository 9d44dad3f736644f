// Many who want the same time at once, over HTTP: the race of appview/server/tests/http, in this runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOR_TESTS, serve, shared } from "./harness.mjs";
import { Meetings } from "./meetings.mjs";
import { Caller, World } from "./people.mjs";

const HOUR = 3_600_000;

/** Half an hour that is about a day ahead. */
const START = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
const WINDOW = [START, START + HOUR / 2];

const FULL = process.env.HUDDLE_FULL === "1";

/** As many rounds as there is time for; a full run has 100. */
const ROUNDS = FULL ? 100 : 4;
const GUESTS = 64;

/** After so many rounds they say how far they have come. */
const NEWS = 10;

/** Much longer than all rounds take, on a busy machine too. */
const RACES_MILLIS = (ROUNDS + 10) * 60_000;

let world, meetings;
/** Hosts who have half an hour each, at the same time. */
const hosts = [];

shared(async (close) => {
  world = await World.start();
  close(() => world.close());
  for (let n = 0; n < 3 * ROUNDS; n++) hosts.push(world.person());
  const windows = hosts.map((host) => ({ host, windows: [WINDOW] }));
  // All come from one address, which counts for those who cannot be looked up in time.
  const limits = { anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
  const vars = { ...world.vars, WINDOWS: JSON.stringify(windows), LIMITS: JSON.stringify(limits) };
  const served = await serve(FOR_TESTS, vars);
  close(() => served.close());
  meetings = new Meetings(new Caller(served, world));
});

/** One word for what came of a request: how its booking stands, or why there is none. */
const ending = ({ status, body }) => (status === 200 ? body.booking.status : body.error);

/** How often requests have come to what. */
class Tally {
  #counts = new Map();

  /** Counts what came of requests, and gives how often they came to what. */
  add(outcomes) {
    const words = outcomes.map(ending);
    for (const word of words) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    return (of) => words.filter((word) => word === of).length;
  }

  toString() {
    return [...this.#counts].map(([word, count]) => `${count} ${word}`).join(", ");
  }
}

test(
  "of many guests exactly one gets the slot, while others race as host and as guest",
  { timeout: RACES_MILLIS },
  async (t) => {
    const [ofMany, ofFew] = [new Tally(), new Tally()];
    for (let round = 1; round <= ROUNDS; round++) {
      const [wanted, one, other] = hosts.splice(0, 3);
      const third = world.person();
      const many = Array.from({ length: GUESTS }, () => [world.person(), wanted]);
      const few = [[one, other], [other, one], [third, one], [third, other]];
      const race = [...many, ...few].map(([guest, host]) => meetings.match(guest, host));
      const outcomes = await Promise.all(race);

      // One has got the slot, all others are told that there is none; the one is in the end confirmed.
      const toMany = outcomes.slice(0, GUESTS);
      const count = ofMany.add(toMany);
      // Whoever has to wait longer than a match may take, which only a busy machine makes them, hears it later.
      const refused = count("NoSlot") + (FULL ? 0 : count("expired"));
      assert.deepEqual([count("held"), refused], [1, GUESTS - 1], `round ${round}: ${ofMany}`);
      const winner = toMany.findIndex((outcome) => ending(outcome) === "held");
      await meetings.accept(many[winner][0], toMany[winner].body.booking.id);

      // Somebody has got something, nobody two meetings at the same time, and all others hear why.
      const toFew = outcomes.slice(GUESTS);
      const countOfFew = ofFew.add(toFew);
      const words = ["held", "NoSlot", "TooManyHolds", ...(FULL ? [] : ["expired"])];
      const known = words.reduce((sum, word) => sum + countOfFew(word), 0);
      assert.equal(known, few.length, `round ${round}: ${ofFew}`);
      const people = few.filter((_, n) => ending(toFew[n]) === "held").flat();
      assert.ok(people.length > 0, `round ${round}: nobody got anything`);
      assert.equal(new Set(people).size, people.length, `round ${round}: ${people}`);

      if (round % NEWS === 0 || round === ROUNDS) {
        t.diagnostic(`${round} rounds of ${GUESTS} guests for one slot: ${ofMany}`);
        t.diagnostic(`${round} rounds of three people for each other: ${ofFew}`);
      }
    }
  },
);
