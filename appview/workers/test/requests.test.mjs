// How much of the platform a meeting takes, event by event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { countedOptions, requestsOf, servedAt } from "./counting.mjs";
import { migrate, publish } from "./database.mjs";
import { Caller, World } from "./people.mjs";

const BUILD = fileURLToPath(new URL("../../../target/workers/contract/", import.meta.url));

/**
 * The most requests of the Worker's event, and of the one in the booking's object, where those of its alarm count that rings
 * meanwhile. It is for each event that the platform limits them; together they are what a step costs.
 */
const MOST = {
  "match of a new guest": [7, 12],
  "match of a known guest": [3, 12],
  finalize: [2, 12],
};

const HOUR = 3_600_000;

test("a match over what a host has published makes few requests of each event, and so does the finalize", async (t) => {
  const world = await World.start();
  world.secs = 300;
  const runtime = new Miniflare(countedOptions(BUILD, { ...world.varsByName, DESCRIBE: "yes" }));
  try {
    const caller = new Caller(servedAt(await runtime.ready), world);
    const database = await runtime.getD1Database("DB");
    await migrate(database);
    const service = world.vars.SERVICE.split("#")[0];
    const tomorrow = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
    /** Has a guest call a method, and gives the booking and the requests of both events. */
    const call = async (guest, name, input, status) => {
      const { body, headers } = await caller.procedure(guest, name, input);
      assert.equal(body.booking?.status, status, JSON.stringify(body));
      const { ofWorker, ofBooking } = requestsOf(headers);
      return { bookingId: body.booking.id, requests: [ofWorker, ofBooking] };
    };
    const match = async (guest) => {
      const host = world.person();
      await publish(database, host, service, [tomorrow, tomorrow + 2 * HOUR]);
      return call(guest, "match", { hostDid: host }, "held");
    };
    // What an isolate finds out once: the addresses of the directory and of the graph.
    await match(world.person());
    const guest = world.person();
    for (const who of ["new", "known"]) {
      const { bookingId, requests } = await match(guest);
      const finalized = await call(guest, "finalize", { bookingId }, "confirmed");
      for (const [step, made] of [[`match of a ${who} guest`, requests], ["finalize", finalized.requests]]) {
        const counts = made.map(({ length }) => length);
        const lines = [`${step}: ${counts.join(" + ")}`, ...made.flat()];
        for (const line of lines) t.diagnostic(line);
        assert.ok(counts.every((count, event) => count > 0 && count <= MOST[step][event]), lines.join("\n"));
      }
    }
  } finally {
    await runtime.dispose();
    world.close();
  }
});
