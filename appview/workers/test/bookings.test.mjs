// A meeting over HTTP, from the first word to the last: the scenarios of appview/server/tests/http, in this runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FOR_TESTS, eventually, serve, shared } from "./harness.mjs";
import { Caller, World, answer } from "./people.mjs";

const HOUR = 3_600_000;

/** A moment so many minutes after a full hour that is about a day ahead. */
const NEXT_DAY = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
const tomorrow = (minutes) => NEXT_DAY + minutes * 60_000;
const at = (minutes) => new Date(tomorrow(minutes)).toISOString();

/** As many rounds as there is time for; a full run has 100. */
const ROUNDS = process.env.HUDDLE_FULL === "1" ? 100 : 4;
const GUESTS = 64;

/** Much longer than all rounds of a race take, on a busy machine too. */
const RACES_MILLIS = (ROUNDS + 10) * 60_000;

/** Longer than it takes until somebody goes on with a booking whose driver had no time left. */
const PATIENCE_MILLIS = 120_000;

let served, world, caller;
/** Hosts who have two hours tomorrow, and those who have half an hour. */
const free = [];
const pressed = [];

shared(async (close) => {
  world = await World.start();
  close(() => world.close());
  for (let n = 0; n < 16; n++) free.push(world.person());
  for (let n = 0; n < 3 * ROUNDS; n++) pressed.push(world.person());
  const windows = [
    ...free.map((host) => ({ host, windows: [[tomorrow(0), tomorrow(120)]] })),
    ...pressed.map((host) => ({ host, windows: [[tomorrow(0), tomorrow(30)]] })),
  ];
  // All come from one address, which counts for those who cannot be looked up in time.
  const limits = { anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
  const vars = { ...world.vars, WINDOWS: JSON.stringify(windows), LIMITS: JSON.stringify(limits) };
  served = await serve(FOR_TESTS, vars);
  close(() => served.close());
  caller = new Caller(served, world);
});

/** Whether an answer is the refusal of that name. */
function refused({ status, body }, error, as = 400) {
  assert.deepEqual([status, body.error], [as, error], JSON.stringify(body));
}

function answered({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Asks until somebody has an answer that stands: a busy machine may first say that there will be one. */
async function settled(ask) {
  const deadline = Date.now() + PATIENCE_MILLIS;
  for (;;) {
    const outcome = await ask();
    const { headers, body } = outcome;
    const inFlight = body.error === "IdempotencyInFlight" && headers.get("retry-after");
    const seconds = inFlight || body.booking?.pollAfterSeconds;
    if (!seconds) return outcome;
    assert.ok(Date.now() < deadline, `there is no end to ${JSON.stringify(body)}`);
    await setTimeout(1000 * Number(seconds));
  }
}

function match(guest, host, input = {}) {
  const asked = { hostDid: host, idempotencyKey: crypto.randomUUID(), ...input };
  return settled(() => caller.procedure(guest, "match", asked));
}

/** A booking and its history, once nobody is at work on it. */
const read = async (person, bookingId) =>
  answered(await settled(() => caller.query(person, "getBooking", { bookingId })));

/** Whether a guest has got a slot. A request that had to wait and found nothing is answered for, too, as expired. */
const hasWon = ({ status, body }) => status === 200 && body.booking.status === "held";

function lost({ status, body }, ...errors) {
  const why = status === 200 ? body.booking.status : body.error;
  assert.ok(["expired", ...errors].includes(why), JSON.stringify(body));
}

async function held(guest, host, input) {
  const { booking } = answered(await match(guest, host, input));
  assert.equal(booking.status, "held");
  return booking.id;
}

/** Accepts what is held, and sees it confirmed. */
async function accept(guest, bookingId, input = {}) {
  answered(await caller.procedure(guest, "finalize", { bookingId, ...input }));
  const seen = await read(guest, bookingId);
  assert.equal(seen.booking.status, "confirmed");
  return seen;
}

/** Waits until the half hour can be held; word of what has become free comes by the outbox. */
const becomesFree = (host, minutes) =>
  eventually(async () => {
    const constraints = { earliest: at(minutes), latest: at(minutes + 30) };
    await held(world.person(), host, { constraints });
  });

test("a slot is held, confirmed, moved and called off", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await held(guest, host);
  await accept(guest, bookingId);
  const seen = await read(host, bookingId);
  assert.equal(Date.parse(seen.booking.start), tomorrow(0));
  const events = seen.history.map(({ event }) => event);
  assert.deepEqual(events, ["requested", "held", "confirmed"]);

  const later = { bookingId, constraints: { earliest: at(60) } };
  answered(await caller.procedure(host, "rescheduleBooking", later));
  const { booking: moved } = await read(host, bookingId);
  assert.deepEqual([Date.parse(moved.start), moved.sequence, moved.id], [tomorrow(60), 1, bookingId]);

  const off = { bookingId, reason: "I am ill" };
  const canceled = answered(await caller.procedure(guest, "cancelBooking", off)).booking;
  assert.equal(canceled.status, "canceled");
  const last = answered(await caller.query(host, "getBooking", { bookingId })).booking;
  assert.equal(last.reason, "I am ill");
  await becomesFree(host, 0);
  await becomesFree(host, 60);
});

test("a request that comes again does nothing twice", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const input = { idempotencyKey: "once" };
  const first = answered(await match(guest, host, input));
  assert.deepEqual(answered(await match(guest, host, input)), first);
  refused(await match(guest, host, { ...input, note: "something else" }), "IdempotencyMismatch");

  const bookingId = first.booking.id;
  const accepted = await accept(guest, bookingId, { idempotencyKey: "yes" });
  assert.deepEqual(await accept(guest, bookingId, { idempotencyKey: "yes" }), accepted);
  refused(await match(guest, host, { idempotencyKey: undefined }), "IdempotencyKeyRequired");
});

test("two requests to accept confirm once", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await held(guest, host);
  await Promise.all([accept(guest, bookingId), accept(guest, bookingId)]);
  const seen = await read(guest, bookingId);
  assert.equal(seen.history.filter(({ event }) => event === "confirmed").length, 1);
});

test("whoever is no party learns nothing", async () => {
  const [host, guest, stranger] = [free.pop(), world.person(), world.person()];
  const bookingId = await held(guest, host);
  for (const unknown of [bookingId, "3hq7n2k5x4d6m7p2r5t7", "no id at all"]) {
    const seen = await caller.query(stranger, "getBooking", { bookingId: unknown });
    refused(seen, "BookingNotFound");
  }
  refused(await caller.procedure(stranger, "finalize", { bookingId }), "BookingNotFound");
  refused(await caller.procedure(host, "finalize", { bookingId }), "NotAccepted");
});

test("what cannot be matched is refused by name", async () => {
  const [host, guest] = [free.pop(), world.person()];
  refused(await match(guest, world.person()), "NoSlot");
  refused(await match(guest, guest), "SelfBooking");
  refused(await match(guest, host, { slotToken: "x" }), "InvalidSlotToken");
  const backwards = { constraints: { durationMin: 60, durationMax: 30 } };
  refused(await match(guest, host, backwards), "InvalidConstraints");
  refused(await match(guest, "no DID"), "InvalidRequest");
  await held(guest, host);
  refused(await match(guest, host), "TooManyHolds");
});

test("of many guests exactly one gets the slot", { timeout: RACES_MILLIS }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const host = pressed.pop();
    const guests = Array.from({ length: GUESTS }, () => world.person());
    const outcomes = await Promise.all(guests.map((guest) => match(guest, host)));
    const won = outcomes.filter(hasWon);
    assert.equal(won.length, 1, `round ${round}`);
    for (const other of outcomes) if (!hasWon(other)) lost(other, "NoSlot");
    await accept(guests[outcomes.indexOf(won[0])], won[0].body.booking.id);
  }
});

test("whoever races as host and as guest is in one meeting", { timeout: RACES_MILLIS }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [one, other, third] = [pressed.pop(), pressed.pop(), world.person()];
    const pairs = [[one, other], [other, one], [third, one], [third, other]];
    const outcomes = await Promise.all(pairs.map(([guest, host]) => match(guest, host)));
    const meetings = pairs.filter((_, n) => hasWon(outcomes[n]));
    assert.ok(meetings.length > 0, `round ${round}: nobody got anything`);
    const people = meetings.flat();
    assert.equal(new Set(people).size, people.length, `round ${round}: ${people}`);
    for (const other of outcomes) if (!hasWon(other)) lost(other, "NoSlot", "TooManyHolds");
  }
});

test("nobody calls without a token, with one of another method, or twice with one", async () => {
  const path = "/xrpc/com.huddle.getBooking?bookingId=3hq7n2k5x4d6m7p2r5t7";
  const ask = async (headers) => answer(await served.fetch(path, { headers }));
  refused(await ask({}), "AuthenticationRequired", 401);
  const person = world.person();
  const other = await world.token(person, "com.huddle.match");
  refused(await ask({ authorization: `Bearer ${other}` }), "BadJwtLexiconMethod", 401);
  const token = await world.token(person, "com.huddle.getBooking");
  const forged = `${token.slice(0, -4)}AAAA`;
  refused(await ask({ authorization: `Bearer ${forged}` }), "BadJwtSignature", 401);
  refused(await ask({ authorization: `Bearer ${token}` }), "BookingNotFound");
  refused(await ask({ authorization: `Bearer ${token}` }), "JwtReplayed", 401);
});

test("a method that is not there and a path that names none are answered as XRPC", async () => {
  const unknown = answer(await served.fetch("/xrpc/com.huddle.nothing"));
  refused(await unknown, "MethodNotImplemented", 501);
  refused(await answer(await served.fetch("/xrpc/nothing")), "InvalidRequest");
});

test("an account that asks too often hears when to come again", async () => {
  const person = world.person();
  const bookingId = "3hq7n2k5x4d6m7p2r5t7";
  // Four times as many changes as may come at once: what is gained while they run makes no difference.
  const ask = () => caller.procedure(person, "finalize", { bookingId });
  const outcomes = await Promise.all(Array.from({ length: 60 }, ask));
  const limited = outcomes.filter(({ status }) => status === 429);
  assert.ok(limited.length > 0);
  for (const { body, headers } of limited) {
    assert.equal(body.error, "RateLimitExceeded");
    assert.ok(Number(headers.get("retry-after")) >= 1);
  }
  for (const other of outcomes.filter(({ status }) => status !== 429)) {
    refused(other, "BookingNotFound");
  }
});

test("a person whose document is at a host of their own is looked up there, by an address that was vetted", async () => {
  const ask = (name, as = caller) =>
    as.query(world.webPerson(name), "getBooking", { bookingId: "3hq7n2k5x4d6m7p2r5t7" });
  const wasAsked = () => world.asked.includes("/.well-known/did.json");
  // One of those that nobody has heard of may be of another network.
  world.halfKnown.add("localhost");
  refused(await ask("localhost", new Caller(served, world, 0)), "NotEnoughResources", 503);
  assert.ok(!wasAsked());
  world.halfKnown.clear();
  refused(await ask("localhost"), "BookingNotFound");
  assert.ok(wasAsked());
  world.addresses.set("inside.localhost", ["127.0.0.1", "10.0.0.1"]);
  refused(await ask("inside.localhost"), "BadJwtIss", 401);
});

test("a header that is not text does not end the runtime", async () => {
  const odd = await served.fetch("/healthz", { headers: { "x-odd": "\u00ff" } });
  assert.ok([200, 400, 500].includes(odd.status), `${odd.status}`);
  assert.equal((await served.fetch("/healthz")).status, 200);
});
