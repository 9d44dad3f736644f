// How much of the platform a match takes, event by event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { countedOptions, requestsOf, servedAt } from "./counting.mjs";
import { migrate, publish } from "./database.mjs";
import { Caller, World } from "./people.mjs";

const BUILD = fileURLToPath(new URL("../../../target/workers/contract/", import.meta.url));

/** The most requests of one event: of the Worker, and of the booking's object. */
const MOST = 12;

const HOUR = 3_600_000;

test("a match over what a host has published makes at most 12 requests of an event, whoever the guest is", async (t) => {
  const world = await World.start();
  world.secs = 300;
  const runtime = new Miniflare(countedOptions(BUILD, { ...world.varsByName, DESCRIBE: "yes" }));
  try {
    const caller = new Caller(servedAt(await runtime.ready), world);
    const database = await runtime.getD1Database("DB");
    await migrate(database);
    const service = world.vars.SERVICE.split("#")[0];
    const tomorrow = (Math.floor(Date.now() / HOUR) + 24) * HOUR;
    const match = async (guest) => {
      const host = world.person();
      await publish(database, host, service, [tomorrow, tomorrow + 2 * HOUR]);
      const { body, headers } = await caller.procedure(guest, "match", { hostDid: host });
      assert.equal(body.booking?.status, "held", JSON.stringify(body));
      return requestsOf(headers);
    };
    // What an isolate finds out once: the addresses of the directory and of the graph.
    await match(world.person());
    const guest = world.person();
    for (const who of ["new", "known"]) {
      for (const [event, requests] of Object.entries(await match(guest))) {
        const title = `${who} guest, ${event}: ${requests.length}`;
        for (const line of [title, ...requests]) t.diagnostic(line);
        assert.ok(requests.length > 0 && requests.length <= MOST, [title, ...requests].join("\n"));
      }
    }
  } finally {
    await runtime.dispose();
    world.close();
  }
});
