// What guests and hosts do with each other, by the methods of a Worker, and what they wait for.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

/** Longer than it takes until somebody goes on with a booking whose driver had no time left. */
const PATIENCE_MILLIS = 120_000;

/** The body of an answer that is no refusal. */
export function answered({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** Asks until somebody has an answer that stands: a busy machine may first say that there will be one. */
export async function settled(ask) {
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

/** Meetings of the people for whom a caller calls. */
export class Meetings {
  #caller;

  constructor(caller) {
    this.#caller = caller;
  }

  /** Asks a host for a meeting, and gives the answer that stands. */
  match(guest, host, input = {}) {
    const asked = { hostDid: host, idempotencyKey: crypto.randomUUID(), ...input };
    return settled(() => this.#caller.procedure(guest, "match", asked));
  }

  /** A booking and its history, once nobody is at work on it. */
  async read(person, bookingId) {
    return answered(await settled(() => this.#caller.query(person, "getBooking", { bookingId })));
  }

  /** Accepts what is held, and sees it confirmed. */
  async accept(guest, bookingId, input = {}) {
    answered(await this.#caller.procedure(guest, "finalize", { bookingId, ...input }));
    const seen = await this.read(guest, bookingId);
    assert.equal(seen.booking.status, "confirmed");
    return seen;
  }
}
