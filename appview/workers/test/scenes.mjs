// People, slots and bookings for the tests, and the steps that a driver takes with them.
import assert from "node:assert/strict";

const HOUR = 3_600_000;

/** Moments are milliseconds; slots are days away, so that none is in the past. */
export const soon = (millis) => Date.now() + millis;
export const slot = (hour) => {
  const start = Math.ceil(Date.now() / (24 * HOUR)) * 24 * HOUR + hour * HOUR;
  return [start, start + HOUR / 2];
};

const NONE = { secs: 0, nanos: 0 };

let count = 0;

/** A host, a guest and a booking that no other test knows. */
export function scene() {
  count += 1;
  const host = `did:web:host${count}.example.com`;
  const guest = `did:web:guest${count}.example.com`;
  const booking = `${"0".repeat(16)}${Date.now().toString(36)}${count}`;
  return {
    host,
    guest,
    booking,
    hostActor: `host-match/${host}`,
    guestActor: `host-match/${guest}`,
    bookingActor: `booking/${booking}`,
  };
}

export const hold = ({ booking, guest }, at, until) => ({
  booking,
  attempt: 1,
  candidates: [{ slot: at, margins: { before: NONE, after: NONE, caps: [] } }],
  until,
  role: "host",
  counterpart: guest,
});

/** What a hold is answered. */
export const grantedOf = (at, until) => ({ Ok: { slot: at, until, sharded: false } });

export const create = ({ host, guest }) => ({
  asked: {
    host,
    guest,
    constraints: {
      duration_min: null,
      duration_max: null,
      earliest: null,
      latest: null,
      days: [],
      tz: null,
    },
    offer: null,
    note: null,
    request: null,
    accepted: false,
  },
  body_hash: "hash",
});

export const place = (at) => ({
  slot: at,
  terms: { offer: null, tz: "Europe/Madrid", mode: "auto", guest_side: "unchecked" },
});

export const request = (caller, method, key) => ({ caller, method, key, body_hash: "hash" });

/** Brings a booking to the point where both sides hold its slot. */
export async function held(served, people, at, until) {
  await served.ask(people.bookingActor, "Create", create(people));
  const asked = hold(people, at, until);
  const granted = grantedOf(at, until);
  assert.deepEqual(await served.ask(people.hostActor, "Hold", asked), granted);
  const asGuest = { ...asked, role: "guest", counterpart: people.host };
  assert.deepEqual(await served.ask(people.guestActor, "Hold", asGuest), granted);
  const standing = await served.ask(people.bookingActor, "Held", {
    attempt: 1,
    place: place(at),
    until,
    days: [],
  });
  assert.equal(Object.keys(standing.Ok.booking.phase)[0], "Held");
}

/** Begins to confirm a held booking; both sides prepare. */
export async function prepared(served, people, at) {
  const key = request(people.guest, "com.huddle.finalize", "once");
  const standing = await served.ask(people.bookingActor, "Finalize", { key });
  assert.deepEqual(standing.Ok.next, { Confirm: 1 });
  const prepare = { booking: people.booking, attempt: 1, slot: at };
  for (const actor of [people.hostActor, people.guestActor]) {
    assert.deepEqual(await served.ask(actor, "Prepare", prepare), { Ok: null });
  }
}

/** The states of all claims on a person's time. */
export async function claims(served, actor) {
  const rows = await served.rows(actor, "SELECT state FROM claim ORDER BY booking, attempt");
  return rows.map((row) => row.state);
}
