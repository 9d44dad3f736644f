// What is deployed has nothing of what tests have.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DEPLOYED, serve } from "./harness.mjs";
import { SECRETS } from "./people.mjs";
import { scene } from "./scenes.mjs";

const folder = fileURLToPath(new URL("../../../target/workers/", import.meta.url));

/** Whether something stands in the files that a folder deploys. */
const holds = (folder, text) =>
  readdirSync(folder)
    .filter((name) => /\.(js|wasm)$/.test(name))
    .some((name) => readFileSync(join(folder, name)).includes(text));

for (const text of ["/test/", "a test asked for this", "WINDOWS", "HUDDLE_TEST", "ContractDO"]) {
  test(`"${text}" stands in nothing that is deployed`, () => {
    assert.equal(holds(folder, text), false);
  });
}

test("what tests have stands in the build for tests", () => {
  for (const text of ["/test/", "a test asked for this", "WINDOWS", "ContractDO"]) {
    assert.ok(holds(join(folder, "contract"), text), text);
  }
});

test("routes for tests are not there", async () => {
  const served = await serve(DEPLOYED, { ...SECRETS, HUDDLE_TEST: "1" });
  try {
    assert.equal((await (await served.fetch("/healthz")).json()).status, "ok");
    assert.equal((await served.post(scene().hostActor, {})).status, 404);
    assert.equal((await served.fetch("/test/panic", { method: "POST" })).status, 404);
  } finally {
    await served.close();
  }
});
