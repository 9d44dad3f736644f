// What the variables of the Worker change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEPLOYED, FOR_TESTS, eventually, serve } from "./harness.mjs";
import { Caller, SECRETS, World } from "./people.mjs";
import { create, hold, scene, slot, soon } from "./scenes.mjs";

test("limits that are out of range are named by every command that they stop", async () => {
  const served = await serve(DEPLOYED, { LIMITS: '{"hold_secs": 1}' });
  try {
    const people = scene();
    const body = JSON.stringify({ HostMatch: { Hold: hold(people, slot(9), soon(300_000)) } });
    const refused = await served.object("HostMatchDO", people.hostActor, "/", { method: "POST", body });
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /LIMITS.*hold_secs is 1, and must be from 120 to 1800/);
  } finally {
    await served.close();
  }
});

/** Sees that with these variables nothing is served, and that the log says what to do. */
async function unserved(vars, advice) {
  const served = await serve(DEPLOYED, vars);
  try {
    const answer = await served.fetch("/healthz");
    assert.equal(answer.status, 500);
    assert.equal((await answer.json()).error, "InternalServerError");
    await eventually(() => assert.ok(served.logs().some((line) => line.includes(advice))));
    return served.logs().join("\n");
  } finally {
    await served.close();
  }
}

for (const missing of Object.keys(SECRETS)) {
  test(`without ${missing} nothing is served, and the log says what to do`, () => {
    const { [missing]: _, ...others } = SECRETS;
    return unserved(others, `${missing} is missing: set it with \`wrangler secret put\``);
  });
}

test("keys that are not written as keys are not used, and not logged", async () => {
  const nearly = "0f".repeat(31);
  const advice = "CALENDAR_KEYS cannot be used: key 1 is not written as id:digits";
  const logs = await unserved({ ...SECRETS, CALENDAR_KEYS: `first:${nearly}` }, advice);
  assert.ok(!logs.includes(nearly));
});

test("mail is not sent without keys for addresses", () =>
  unserved({ ...SECRETS, MAIL_API_KEY: "secret" }, "CALENDAR_KEYS is missing: mail needs it too"));

test("without keys nobody can connect a calendar or give an address, and the methods say so", async () => {
  const world = await World.start();
  const served = await serve(FOR_TESTS, { ...world.vars, PUBLIC_URL: "http://huddle.test" });
  try {
    const [caller, person] = [new Caller(served, world), world.person()];
    const page = await caller.query(person, "getConnectUrl", { provider: "ics" });
    assert.deepEqual([page.status, page.body.error], [400, "ProviderNotSupported"]);
    const mail = await caller.procedure(person, "requestEmailConfirmation", { email: "ada@mail.test" });
    assert.deepEqual([mail.status, mail.body.error], [501, "MethodNotImplemented"]);
    assert.deepEqual((await caller.query(person, "listConnectors", {})).body, { connectors: [] });
    for (const path of ["/connect", "/confirm-email", "/cancel-booking"]) {
      assert.equal((await served.fetch(path)).status, 404, path);
    }
    assert.equal((await served.fetch("/internal/reseal", { method: "POST" })).status, 404);
    assert.equal((await served.fetch("/internal/jobs")).status, 404);
  } finally {
    await served.close();
    world.close();
  }
});

test("what is deployed looks nobody up on its own machine", async () => {
  const world = await World.start();
  const served = await serve(DEPLOYED, world.vars);
  try {
    const caller = new Caller(served, world, 0);
    const input = { hostDid: world.person() };
    const refused = await caller.procedure(world.webPerson("localhost"), "match", input);
    assert.equal(refused.body.error, "BadJwtIss");
    const unlisted = await caller.procedure(world.person(), "match", input);
    assert.equal(unlisted.body.error, "NotEnoughResources");
    assert.deepEqual(world.asked, []);
  } finally {
    await served.close();
    world.close();
  }
});

/** How a search comes out that an object makes with these variables. */
async function searched(configPath, vars) {
  const world = await World.start();
  const people = scene();
  const windows = [{ host: people.host, windows: [[soon(86_400_000), soon(90_000_000)]] }];
  const served = await serve(configPath, { ...world.vars, WINDOWS: JSON.stringify(windows), ...vars });
  try {
    const body = JSON.stringify({ Booking: { Create: create(people) } });
    const created = await served.object("BookingDO", people.bookingActor, "/", { method: "POST", body });
    assert.equal(created.status, 200, await created.text());
    // Its driver has gone, and the next one searches.
    const gone = "UPDATE booking SET document = json_set(document, '$.lease', 0)";
    await served.rows(people.bookingActor, gone);
    await served.queue(JSON.stringify({ Resume: people.booking }));
    return await eventually(async () => {
      const [row] = await served.rows(people.bookingActor, "SELECT document FROM booking");
      const { lease, phase, unmatched } = JSON.parse(row.document);
      assert.equal(lease, null);
      return { phase, unmatched };
    });
  } finally {
    await served.close();
    world.close();
  }
}

test("windows count in tests alone", async () => {
  const counted = await searched(FOR_TESTS);
  assert.deepEqual(Object.keys(counted.phase), ["Held"]);
  const ignored = await searched(DEPLOYED);
  assert.deepEqual(ignored, { phase: "Unmatched", unmatched: "NoSlot" });
});

test("a host without windows has no slot", async () => {
  const { phase, unmatched } = await searched(FOR_TESTS, { WINDOWS: "[]" });
  assert.deepEqual([phase, unmatched], ["Unmatched", "NoSlot"]);
});
