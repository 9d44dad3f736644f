// The script that follows the firehose, as far as that takes no firehose: tests/e2e has one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIREHOSE, FOR_TESTS, eventually, serve, shared } from "./harness.mjs";
import { World } from "./people.mjs";

const EVERY_MINUTE = "* * * * *";
const CHECK_DRIFT = "15 * * * *";
/** Where nobody listens. */
const NOBODY = "ws://localhost:1";

let world;
shared(async (close) => {
  world = await World.start();
  close(() => world.close());
});

/** Has the script run beside the AppView's. */
async function following(firehose, check) {
  const served = await serve(FIREHOSE, { ...world.vars, FIREHOSE: firehose }, FOR_TESTS);
  try {
    await check(served);
  } finally {
    await served.close();
  }
}

const logged = (served, text) =>
  eventually(() => assert.ok(served.logs().some((line) => line.includes(text)), served.logs().join("\n")));

test("accounts that were not looked at for long are compared with what their hosts say", () =>
  following(NOBODY, async (served) => {
    const person = world.person();
    const held = "INSERT INTO repos (did, hosting, rev, base, stale, checked) VALUES (?, 'active', '1', '', 0, 0)";
    await served.index(held, person);
    await served.scheduled(CHECK_DRIFT);
    const [{ checked }] = await served.index("SELECT checked FROM repos WHERE did = ?", person);
    assert.ok(checked > 0);
    await logged(served, "accounts compared: 0 same");
  }));

test("a host that nobody reaches is tried again", () =>
  following(NOBODY, async (served) => {
    await served.scheduled(EVERY_MINUTE);
    await eventually(() => {
      const tries = served.logs().filter((line) => line.includes("the firehose is disconnected"));
      assert.ok(tries.length >= 2, served.logs().join("\n"));
    });
  }));

test("an object follows those hosts alone that it is named after", () =>
  following(NOBODY, async (served) => {
    const answer = await served.object("FirehoseDO", "wss://relay.example.com", "/");
    assert.equal(answer.status, 200);
    const { connected, frames } = await answer.json();
    assert.deepEqual([connected, frames], [false, 0]);
    assert.ok(!served.logs().some((line) => line.includes("disconnected")));
  }));

test("without a firehose nothing is followed, and the log says what to do", () =>
  following("https://relay.example.com", async (served) => {
    await served.scheduled(EVERY_MINUTE);
    await logged(served, "name some, best first, e.g. `wss://relay.example.com`");
  }));
