// What the variables of the Worker change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "./harness.mjs";
import { hold, scene, slot, soon } from "./scenes.mjs";

test("the routes for tests are not there unless they are asked for", async () => {
  const served = await serve({});
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
