// The tests themselves: they end, also where none of them is asked for.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE_MILLIS } from "./harness.mjs";

/** How a run of those tests of a file ends that have a name. */
async function run(file, name) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const path = fileURLToPath(new URL(file, import.meta.url));
  const node = spawn(process.execPath, ["--test", `--test-name-pattern=${name}`, path], {
    env,
    stdio: "ignore",
    timeout: 5 * PATIENCE_MILLIS,
  });
  return once(node, "exit");
}

for (const file of ["actors.test.mjs", "bookings.test.mjs"]) {
  test(`${file} ends well where none of its tests is asked for`, async () => {
    assert.deepEqual(await run(file, "no such test"), [0, null]);
  });
}
