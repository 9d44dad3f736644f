// A meeting over HTTP, from the first word to the last: the scenarios of appview/server/tests/http, in this runtime.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { eventually, serve } from "./harness.mjs";
import { Caller, World, answer } from "./people.mjs";

const HOUR = 3_600_000;

/** A moment so many minutes after a full hour that is about a day ahead. */
const NEXT_DAY = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
const tomorrow = (minutes) => NEXT_DAY + minutes * 60_000;
const at = (minutes) => new Date(tomorrow(minutes)).toISOString();

/** As many rounds as there is time for; a full run has 100. */
const ROUNDS = process.env.HUDDLE_FULL === "1" ? 100 : 4;
const GUESTS = 64;

let served, world, caller;
/** Hosts who have two hours tomorrow, and those who have half an hour. */
const free = [];
const pressed = [];

before(async () => {
  world = await World.start();
  for (let n = 0; n < 16; n++) free.push(world.person());
  for (let n = 0; n < 3 * ROUNDS; n++) pressed.push(world.person());
  const windows = [
    ...free.map((host) => ({ host, windows: [[tomorrow(0), tomorrow(120)]] })),
    ...pressed.map((host) => ({ host, windows: [[tomorrow(0), tomorrow(30)]] })),
  ];
  // All come from one address, which counts for those who cannot be looked up in time.
  const limits = { anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
  served = await serve({ ...world.vars, WINDOWS: JSON.stringify(windows), LIMITS: JSON.stringify(limits) });
  caller = new Caller(served, world);
});

after(async () => {
  await served.close();
  world.close();
});

/** Whether an answer is the refusal of that name. */
function refused({ status, body }, error, as = 400) {
  assert.deepEqual([status, body.error], [as, error], JSON.stringify(body));
}

function answered({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Asks until there is an answer: a machine that is busy may say first that there will be one. */
async function match(guest, host, input = {}) {
  const asked = { hostDid: host, idempotencyKey: crypto.randomUUID(), ...input };
  for (;;) {
    const { status, headers, body } = await caller.procedure(guest, "match", asked);
    const pending = body.booking?.status === "pending" || body.error === "IdempotencyInFlight";
    if (!pending) return { status, headers, body };
    await setTimeout(1000 * Number(headers.get("retry-after") ?? body.booking.pollAfterSeconds));
  }
}

async function held(guest, host) {
  const { booking } = answered(await match(guest, host));
  assert.equal(booking.status, "held");
  return booking.id;
}

async function confirmed(guest, host) {
  const bookingId = await held(guest, host);
  const { booking } = answered(await caller.procedure(guest, "finalize", { bookingId }));
  assert.equal(booking.status, "confirmed");
  return bookingId;
}

/** Waits until the half hour can be held; word of what has become free comes by the outbox. */
const becomesFree = (host, minutes) =>
  eventually(async () => {
    const constraints = { earliest: at(minutes), latest: at(minutes + 30) };
    answered(await match(world.person(), host, { constraints }));
  });

test("a slot is held, confirmed, moved and called off", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await confirmed(guest, host);
  const seen = answered(await caller.query(host, "getBooking", { bookingId }));
  assert.equal(Date.parse(seen.booking.start), tomorrow(0));
  const events = seen.history.map(({ event }) => event);
  assert.deepEqual(events, ["requested", "held", "confirmed"]);

  const later = { bookingId, constraints: { earliest: at(60) } };
  const moved = answered(await caller.procedure(host, "rescheduleBooking", later)).booking;
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

  const accept = { bookingId: first.booking.id, idempotencyKey: "yes" };
  const accepted = answered(await caller.procedure(guest, "finalize", accept));
  assert.deepEqual(answered(await caller.procedure(guest, "finalize", accept)), accepted);
  refused(await match(guest, host, { idempotencyKey: undefined }), "IdempotencyKeyRequired");
});

test("two requests to accept confirm once", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await held(guest, host);
  const accept = () => caller.procedure(guest, "finalize", { bookingId });
  for (const outcome of await Promise.all([accept(), accept()])) {
    // Whoever comes second may find it finalizing still.
    assert.ok(["confirmed", "finalizing"].includes(answered(outcome).booking.status));
  }
  const seen = answered(await caller.query(guest, "getBooking", { bookingId }));
  assert.equal(seen.booking.status, "confirmed");
  assert.equal(seen.history.filter(({ event }) => event === "confirmed").length, 1);
});

test("whoever is no party learns nothing", async () => {
  const [host, guest, stranger] = [free.pop(), world.person(), world.person()];
  const bookingId = await held(guest, host);
  for (const unknown of [bookingId, "3hq7n2k5x4d6m7p2r5t7", "no id at all"]) {
    const read = await caller.query(stranger, "getBooking", { bookingId: unknown });
    refused(read, "BookingNotFound");
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

test("of many guests exactly one gets the slot", { timeout: 900_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const host = pressed.pop();
    const guests = Array.from({ length: GUESTS }, () => world.person());
    const outcomes = await Promise.all(guests.map((guest) => match(guest, host)));
    const won = outcomes.flatMap(({ status, body }, n) => (status === 200 ? [[guests[n], body]] : []));
    assert.equal(won.length, 1, `round ${round}`);
    for (const lost of outcomes.filter(({ status }) => status !== 200)) refused(lost, "NoSlot");
    const [[guest, { booking }]] = won;
    const accept = await caller.procedure(guest, "finalize", { bookingId: booking.id });
    assert.equal(answered(accept).booking.status, "confirmed");
  }
});

test("whoever races as host and as guest is in one meeting", { timeout: 900_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [one, other, third] = [pressed.pop(), pressed.pop(), world.person()];
    const pairs = [[one, other], [other, one], [third, one], [third, other]];
    const outcomes = await Promise.all(pairs.map(([guest, host]) => match(guest, host)));
    const meetings = pairs.filter((_, n) => outcomes[n].status === 200);
    assert.ok(meetings.length > 0, `round ${round}: nobody got anything`);
    const people = meetings.flat();
    assert.equal(new Set(people).size, people.length, `round ${round}: ${people}`);
    for (const { status, body } of outcomes) {
      if (status !== 200) assert.ok(["NoSlot", "TooManyHolds"].includes(body.error), body.error);
    }
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
  const read = (name) =>
    caller.query(world.webPerson(name), "getBooking", { bookingId: "3hq7n2k5x4d6m7p2r5t7" });
  refused(await read("localhost"), "BookingNotFound");
  assert.ok(world.asked.includes("/.well-known/did.json"));
  world.addresses.set("inside.localhost", ["127.0.0.1", "10.0.0.1"]);
  refused(await read("inside.localhost"), "BadJwtIss", 401);
});

test("a header that is not text does not end the runtime", async () => {
  const odd = await served.fetch("/healthz", { headers: { "x-odd": "\u00ff" } });
  assert.ok([200, 400, 500].includes(odd.status), `${odd.status}`);
  assert.equal((await served.fetch("/healthz")).status, 200);
});
