// What the variables of the Worker change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, serve } from "./harness.mjs";
import { Caller, World } from "./people.mjs";
import { hold, scene, slot, soon } from "./scenes.mjs";

const SECRET = { BOOKING_IDS_SECRET: "07".repeat(32) };

test("the routes for tests are not there unless they are asked for", async () => {
  const served = await serve(SECRET);
  try {
    assert.equal((await (await served.fetch("/healthz")).json()).status, "ok");
    assert.equal((await served.post(scene().hostActor, {})).status, 404);
    assert.equal((await served.fetch("/test/panic", { method: "POST" })).status, 404);
  } finally {
    await served.close();
  }
});

test("limits that are out of range are named by every command that they stop", async () => {
  const served = await serve({ HUDDLE_TEST: "1", LIMITS: '{"hold_secs": 1}' });
  try {
    const people = scene();
    const command = { HostMatch: { Hold: hold(people, slot(9), soon(300_000)) } };
    const refused = await served.post(people.hostActor, command);
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /LIMITS.*hold_secs is 1, and must be from 120 to 1800/);
  } finally {
    await served.close();
  }
});

test("without its secret nothing is served, and the log says what to do", async () => {
  const served = await serve({});
  try {
    const answer = await served.fetch("/healthz");
    assert.equal(answer.status, 500);
    assert.equal((await answer.json()).error, "InternalServerError");
    const advice = "BOOKING_IDS_SECRET is missing: set it with `wrangler secret put`";
    await eventually(() => assert.ok(served.logs().some((line) => line.includes(advice))));
  } finally {
    await served.close();
  }
});

test("nobody is looked up on this machine unless a test says so, and windows count in tests alone", async () => {
  const world = await World.start();
  const host = world.person();
  const windows = JSON.stringify([{ host, windows: [[soon(86_400_000), soon(90_000_000)]] }]);
  const serveWith = (vars) => serve({ ...world.vars, WINDOWS: windows, ...vars });
  try {
    let served = await serveWith({ HUDDLE_TEST: "0" });
    try {
      const caller = new Caller(served, world, 0);
      const refused = await caller.procedure(world.webPerson("localhost"), "match", { hostDid: host });
      assert.equal(refused.body.error, "BadJwtIss");
      const unlisted = await caller.procedure(world.person(), "match", { hostDid: host });
      assert.equal(unlisted.body.error, "NotEnoughResources");
      assert.deepEqual(world.asked, []);
    } finally {
      await served.close();
    }
    served = await serveWith({ WINDOWS: "[]" });
    try {
      const caller = new Caller(served, world);
      const input = { hostDid: host };
      assert.equal((await caller.procedure(world.person(), "match", input)).body.error, "NoSlot");
    } finally {
      await served.close();
    }
    served = await serveWith({});
    try {
      const caller = new Caller(served, world);
      const held = await caller.procedure(world.person(), "match", { hostDid: host });
      assert.equal(held.body.booking.status, "held", JSON.stringify(held.body));
    } finally {
      await served.close();
    }
  } finally {
    world.close();
  }
});
