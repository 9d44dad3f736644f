// A meeting over HTTP, from the first word to the last: the scenarios of appview/server/tests/http, in this runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOR_TESTS, eventually, serve, shared } from "./harness.mjs";
import { Meetings, answered } from "./meetings.mjs";
import { Caller, World, answer } from "./people.mjs";

const HOUR = 3_600_000;

/** A moment so many minutes after a full hour that is about a day ahead. */
const NEXT_DAY = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
const tomorrow = (minutes) => NEXT_DAY + minutes * 60_000;
const at = (minutes) => new Date(tomorrow(minutes)).toISOString();

let served, world, caller, meetings;
/** Hosts who have two hours tomorrow. */
const free = [];

shared(async (close) => {
  world = await World.start();
  close(() => world.close());
  for (let n = 0; n < 16; n++) free.push(world.person());
  const windows = free.map((host) => ({ host, windows: [[tomorrow(0), tomorrow(120)]] }));
  // All come from one address, which counts for those who cannot be looked up in time.
  const limits = { anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
  const vars = { ...world.vars, WINDOWS: JSON.stringify(windows), LIMITS: JSON.stringify(limits) };
  served = await serve(FOR_TESTS, vars);
  close(() => served.close());
  caller = new Caller(served, world);
  meetings = new Meetings(caller);
});

/** Whether an answer is the refusal of that name. */
function refused({ status, body }, error, as = 400) {
  assert.deepEqual([status, body.error], [as, error], JSON.stringify(body));
}

async function held(guest, host, input) {
  const { booking } = answered(await meetings.match(guest, host, input));
  assert.equal(booking.status, "held");
  return booking.id;
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
  await meetings.accept(guest, bookingId);
  const seen = await meetings.read(host, bookingId);
  assert.equal(Date.parse(seen.booking.start), tomorrow(0));
  const events = seen.history.map(({ event }) => event);
  assert.deepEqual(events, ["requested", "held", "confirmed"]);

  const later = { bookingId, constraints: { earliest: at(60) } };
  answered(await caller.procedure(host, "rescheduleBooking", later));
  const { booking: moved } = await meetings.read(host, bookingId);
  assert.deepEqual([Date.parse(moved.start), moved.sequence, moved.id], [tomorrow(60), 1, bookingId]);

  const off = { bookingId, reason: "I am ill" };
  const canceled = answered(await caller.procedure(guest, "cancelBooking", off)).booking;
  assert.equal(canceled.status, "canceled");
  const last = answered(await caller.query(host, "getBooking", { bookingId })).booking;
  assert.equal(last.reason, "I am ill");
  await becomesFree(host, 0);
  await becomesFree(host, 60);
});

test("each request is an object in the log, in which nobody is named", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await held(guest, host);
  refused(await caller.query(world.person(), "getBooking", { bookingId }), "BookingNotFound");
  for (const [nsid, status, outcome] of [
    ["com.huddle.match", 200, "ok"],
    ["com.huddle.getBooking", 400, "BookingNotFound"],
  ]) {
    await eventually(() => {
      const line = served.said("served").findLast((it) => it.nsid === nsid);
      const { millis, ...fields } = line ?? {};
      assert.deepEqual(fields, { level: "INFO", message: "served", nsid, status, outcome });
      assert.ok(Number.isInteger(millis) && millis >= 0, `${millis}`);
    });
  }
  const lines = JSON.stringify(served.said("served"));
  for (const name of [host, guest, bookingId]) assert.ok(!lines.includes(name), name);
});

test("a request that comes again does nothing twice", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const input = { idempotencyKey: "once" };
  const first = answered(await meetings.match(guest, host, input));
  assert.deepEqual(answered(await meetings.match(guest, host, input)), first);
  refused(await meetings.match(guest, host, { ...input, note: "something else" }), "IdempotencyMismatch");

  const bookingId = first.booking.id;
  const accepted = await meetings.accept(guest, bookingId, { idempotencyKey: "yes" });
  assert.deepEqual(await meetings.accept(guest, bookingId, { idempotencyKey: "yes" }), accepted);
  refused(await meetings.match(guest, host, { idempotencyKey: undefined }), "IdempotencyKeyRequired");
});

test("two requests to accept confirm once", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const bookingId = await held(guest, host);
  await Promise.all([meetings.accept(guest, bookingId), meetings.accept(guest, bookingId)]);
  const seen = await meetings.read(guest, bookingId);
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
  refused(await meetings.match(guest, world.person()), "NoSlot");
  refused(await meetings.match(guest, guest), "SelfBooking");
  refused(await meetings.match(guest, host, { slotToken: "x" }), "InvalidSlotToken");
  const backwards = { constraints: { durationMin: 60, durationMax: 30 } };
  refused(await meetings.match(guest, host, backwards), "InvalidConstraints");
  refused(await meetings.match(guest, "no DID"), "InvalidRequest");
  await held(guest, host);
  refused(await meetings.match(guest, host), "TooManyHolds");
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
