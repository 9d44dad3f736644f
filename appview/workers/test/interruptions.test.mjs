// Drivers that die half-way: what is under way in the object of a booking ends with the instance that it runs in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOR_TESTS, eventually, serve, shared } from "./harness.mjs";
import { Meetings, answered } from "./meetings.mjs";
import { Caller, World } from "./people.mjs";
import { claims } from "./scenes.mjs";

const HOUR = 3_600_000;
const NEXT_DAY = (Math.floor(Date.now() / HOUR) + 24) * HOUR;

let served, world, caller, meetings;
/** Hosts who have an hour tomorrow. */
const free = [];

shared(async (close) => {
  world = await World.start();
  close(() => world.close());
  for (let n = 0; n < 2; n++) free.push(world.person());
  const windows = free.map((host) => ({ host, windows: [[NEXT_DAY, NEXT_DAY + HOUR]] }));
  // The shortest that there is: so long nobody else goes on with a booking.
  const limits = { driver_lease_secs: 10, anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
  served = await serve(FOR_TESTS, { ...world.vars, WINDOWS: JSON.stringify(windows), LIMITS: JSON.stringify(limits) });
  close(() => served.close());
  caller = new Caller(served, world);
  meetings = new Meetings(caller);
});

/** Has whatever a person calls end in a panic of the host's object, while that of the booking waits for it. */
async function interrupted(host, guest, name, input) {
  await served.fault(`host-match/${host}`, "panic");
  const { status, body } = await new Caller(served, world, 0).procedure(guest, name, input);
  assert.ok(status >= 500, JSON.stringify(body));
}

/** Sees that a booking is confirmed, once, at both sides, and that nobody is still to be told. */
async function confirmedOnce(host, guest, bookingId) {
  const { booking, history } = await meetings.read(guest, bookingId);
  assert.equal(booking.status, "confirmed");
  assert.equal(history.filter(({ event }) => event === "confirmed").length, 1, JSON.stringify(history));
  for (const person of [host, guest]) {
    await eventually(async () => assert.deepEqual(await claims(served, `host-match/${person}`), ["booked"]));
  }
  const outbox = () => served.rows(`booking/${bookingId}`, "SELECT task FROM outbox");
  await eventually(async () => assert.deepEqual(await outbox(), []));
}

test("a match whose driver panics is gone on with, and holds one slot", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const input = { hostDid: host, idempotencyKey: "once" };
  await interrupted(host, guest, "match", input);
  const { booking } = answered(await meetings.match(guest, host, input));
  assert.equal(booking.status, "held");
  assert.deepEqual(await claims(served, `host-match/${host}`), ["held"]);
  answered(await caller.procedure(guest, "finalize", { bookingId: booking.id }));
  await confirmedOnce(host, guest, booking.id);
});

test("a confirmation whose driver panics is gone on with, and confirms once", async () => {
  const [host, guest] = [free.pop(), world.person()];
  const { booking } = answered(await meetings.match(guest, host));
  assert.equal(booking.status, "held");
  await interrupted(host, guest, "finalize", { bookingId: booking.id });
  await confirmedOnce(host, guest, booking.id);
});
