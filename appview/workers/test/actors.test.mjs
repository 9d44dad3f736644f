// Actors as Durable Objects: commands, transactions, alarms, the outbox, the queue, and what survives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FOR_TESTS, OPERATOR_TOKEN, PATIENCE_MILLIS, eventually, serve, shared } from "./harness.mjs";
import { SECRETS } from "./people.mjs";
import { claims, create, grantedOf, held, hold, prepared, request, scene, slot, soon } from "./scenes.mjs";

/** Whether there is time for what takes minutes. */
const FULL = process.env.HUDDLE_FULL === "1";

let served;
shared(async (close) => {
  const vars = { ...SECRETS, OPERATOR_TOKEN, WINDOWS: "[]", LIMITS: '{"hold_secs": 300}' };
  served = await serve(FOR_TESTS, vars);
  close(() => served.close());
});

/** A booking whose driver has not come back. */
async function abandoned(people) {
  await served.ask(people.bookingActor, "Create", create(people));
  await served.rows(
    people.bookingActor,
    "UPDATE booking SET document = json_set(document, '$.lease', 0)",
  );
}

/** Waits for a driver to have taken a booking over, which is the next attempt. */
const resumed = (people) =>
  eventually(async () => {
    const { Ok: booking } = await served.ask(people.bookingActor, "Read", { by: null });
    assert.equal(booking.attempt, 2);
  });

/** Has a person hold a slot for as long as any test takes. */
async function holds(people, actor, fault) {
  const [at, until] = [slot(9), soon(300_000)];
  const granted = grantedOf(at, until);
  assert.deepEqual(await served.ask(actor, "Hold", hold(people, at, until), fault), granted);
}

/** Has what a person holds end at a moment, which their alarm is set for. */
async function end(actor, due) {
  await served.rows(actor, "UPDATE claim SET due = ?", due);
  await served.rows(actor, "UPDATE timer SET due = ?", due);
  await served.remind(actor);
}

const spend = (burst) => ({ rate: { per_minute: 6000, burst }, cost: 1, nonce: null });

test("a held booking is confirmed, and its outbox books the slot at both sides", async () => {
  const people = scene();
  const at = slot(9);
  await held(served, people, at, soon(300_000));
  await prepared(served, people, at);
  const standing = await served.ask(people.bookingActor, "Commit", { attempt: 1 });
  assert.equal(Object.keys(standing.Ok.booking.phase)[0], "Confirmed");
  for (const actor of [people.hostActor, people.guestActor]) {
    await eventually(async () => assert.deepEqual(await claims(served, actor), ["booked"]));
  }
  await eventually(async () =>
    assert.deepEqual(await served.rows(people.bookingActor, "SELECT * FROM outbox"), []),
  );
});

test("the index hears of a booking through the outbox and the queue", async () => {
  const people = scene();
  const at = slot(9);
  await held(served, people, at, soon(300_000));
  await eventually(async () => {
    const [row] = await served.index("SELECT * FROM bookings WHERE id = ?", people.booking);
    assert.equal(row?.status, "held");
    assert.deepEqual([row.host_did, row.guest_did], [people.host, people.guest]);
    assert.deepEqual([row.starts, row.ends], at);
  });
});

test("a caller who has waited long enough hears that a booking is being confirmed", async () => {
  const people = scene();
  await held(served, people, slot(9), soon(300_000));
  const key = request(people.guest, "com.huddle.finalize", "once");
  const answer = await served.object("BookingDO", people.bookingActor, "/drive", {
    method: "POST",
    headers: { "huddle-waiting-since": `${Date.now() - 60_000}` },
    body: JSON.stringify({ Booking: { Finalize: { key } } }),
  });
  const { Ok: standing } = (await answer.json()).Booking.Finalize;
  assert.deepEqual(Object.keys(standing.booking.phase), ["Finalizing"]);
});

test("no second booking gets a slot that is held", async () => {
  const [first, second] = [scene(), scene()];
  const at = slot(10);
  await served.ask(first.hostActor, "Hold", hold(first, at, soon(300_000)));
  const rival = hold(second, at, soon(300_000));
  assert.deepEqual(await served.ask(first.hostActor, "Hold", rival), { Err: "NoneFree" });
});

test("a command that fails half-way leaves nothing, not even a schema", async () => {
  const people = scene();
  const command = { HostMatch: { Hold: hold(people, slot(9), soon(300_000)) } };
  const failed = await served.post(people.hostActor, command, "fail");
  assert.equal(failed.status, 500);
  assert.match(await failed.text(), /a test asked for this/);
  assert.deepEqual(await served.tables(people.hostActor), {});

  await served.ask(people.hostActor, "Hold", command.HostMatch.Hold);
  const stored = await served.tables(people.hostActor);
  const other = { ...command.HostMatch.Hold, booking: scene().booking, candidates: [] };
  assert.equal((await served.post(people.hostActor, { HostMatch: { Hold: other } }, "fail")).status, 500);
  assert.deepEqual(await served.tables(people.hostActor), stored);
});

test("a command for another kind of actor and a body that is no command are refused", async () => {
  const people = scene();
  const wrong = await served.post(people.hostActor, { Booking: { Read: { by: null } } });
  assert.equal(wrong.status, 500);
  assert.match(await wrong.text(), /another kind of actor/);
  const nonsense = await served.post(people.hostActor, { Nonsense: {} });
  assert.equal(nonsense.status, 500);
  assert.match(await nonsense.text(), /no command/);
  assert.equal((await served.post("nobody/x", {})).status, 400);
});

test("numbers that JavaScript does not keep exactly are refused and never rounded", async () => {
  const people = scene();
  const until = 2 ** 53 + 2;
  const command = { HostMatch: { Hold: hold(people, slot(9), until) } };
  const refused = await served.post(people.hostActor, command);
  assert.equal(refused.status, 500);
  assert.match(await refused.text(), /safe integer/);
  assert.deepEqual(await served.tables(people.hostActor), {});
});

test("an evicted object has lost nothing", async () => {
  const people = scene();
  const at = slot(9);
  await held(served, people, at, soon(300_000));
  for (const actor of [people.bookingActor, people.hostActor, people.guestActor]) {
    await served.evict(actor);
  }
  await prepared(served, people, at);
  await served.evict(people.bookingActor);
  await served.ask(people.bookingActor, "Commit", { attempt: 1 });
  await served.evict(people.bookingActor);
  await eventually(async () => assert.deepEqual(await claims(served, people.hostActor), ["booked"]));
});

test("a panic in an object rolls its command back, and the next command finds what was stored", async () => {
  const people = scene();
  const at = slot(9);
  await held(served, people, at, soon(300_000));
  const stored = await served.tables(people.hostActor);
  const prepare = { booking: people.booking, attempt: 1, slot: at };
  const broken = await served.post(people.hostActor, { HostMatch: { Prepare: prepare } }, "panic");
  assert.notEqual(broken.status, 200);
  assert.deepEqual(await served.tables(people.hostActor), stored);
  assert.deepEqual(await served.ask(people.hostActor, "Prepare", prepare), { Ok: null });
});

test("a panic outside of objects resets the isolate, and objects go on from their storage", async () => {
  const people = scene();
  const at = slot(9);
  await held(served, people, at, soon(300_000));
  // What the isolate counts, it counts in memory. Nobody else asks for a method that is not there.
  const asked = async () => (await served.measured())('huddle_requests_total{nsid="unknown",outcome="MethodNotImplemented"}');
  assert.equal((await served.fetch("/xrpc/com.huddle.nothing")).status, 501);
  assert.equal(await asked(), 1);

  const broken = await served.fetch("/test/panic", { method: "POST" });
  assert.equal(broken.status, 500);
  assert.equal((await broken.json()).error, "InternalServerError");
  assert.equal((await served.fetch("/healthz")).status, 200);
  assert.equal(await asked(), 0);
  await prepared(served, people, at);
});

test("a panic fails what runs beside it, at once, and nothing after it", async () => {
  const people = scene();
  await held(served, people, slot(9), soon(300_000));
  const begun = Date.now();
  const read = { Booking: { Read: { by: null } } };
  const prepare = { HostMatch: { Prepare: { booking: people.booking, attempt: 1, slot: slot(9) } } };
  const beside = Array.from({ length: 20 }, () => served.post(people.bookingActor, read));
  const broken = await served.post(people.hostActor, prepare, "panic");
  // 500, if the instance of the caller was the one that ended; 502, if the caller heard of it.
  assert.ok([500, 502].includes(broken.status), `${broken.status}`);
  for (const { status } of await Promise.all(beside)) {
    assert.ok([200, 500, 502].includes(status), `${status}`);
  }
  assert.ok(Date.now() - begun < PATIENCE_MILLIS, "nothing hangs");
  assert.equal((await served.post(people.bookingActor, read)).status, 200);
});

test("a hold expires by the alarm at its moment", async () => {
  const people = scene();
  await holds(people, people.hostActor);
  assert.deepEqual(await claims(served, people.hostActor), ["held"]);
  const due = soon(600);
  await end(people.hostActor, due);
  await eventually(async () => assert.deepEqual(await claims(served, people.hostActor), []));
  assert.ok(Date.now() >= due);
  const [{ closed }] = await served.rows(people.hostActor, "SELECT closed FROM fence");
  assert.equal(closed, 1);
});

test("a hold of an evicted object expires by the alarm too", async () => {
  const people = scene();
  await holds(people, people.hostActor);
  await end(people.hostActor, soon(600));
  await served.evict(people.hostActor);
  await eventually(async () => assert.deepEqual(await claims(served, people.hostActor), []));
});

test("a booking that is called off tells both sides to let go", async () => {
  const people = scene();
  await held(served, people, slot(9), soon(300_000));
  const key = request(people.guest, "com.huddle.cancel", "once");
  await served.ask(people.bookingActor, "Cancel", { key, reason: null });
  for (const actor of [people.hostActor, people.guestActor]) {
    await eventually(async () => assert.deepEqual(await claims(served, actor), []));
  }
});

test("a participant that has heard nothing asks the booking, which answers through its outbox", async () => {
  const people = scene();
  const at = slot(9);
  // This booking never came to be: it may still have been prepared, by a driver that then died.
  await served.ask(people.hostActor, "Hold", hold(people, at, soon(300_000)));
  const prepare = { booking: people.booking, attempt: 1, slot: at };
  assert.deepEqual(await served.ask(people.hostActor, "Prepare", prepare), { Ok: null });
  await served.ask(people.bookingActor, "Outcome", { attempt: 1, asker: people.hostActor });
  await eventually(async () => assert.deepEqual(await claims(served, people.hostActor), []));
});

/** A message that lets go of what a person holds. */
const letGo = (people, actor) => ({
  Tell: {
    to: actor,
    command: {
      HostMatch: { Finish: { booking: people.booking, attempt: 1, ending: "Released" } },
    },
  },
});

const send = (actor, task) =>
  served.rows(actor, "INSERT INTO outbox (actor, task, due) VALUES (?, ?, 0)", actor, task);

test("an alarm that cannot do its work says so and rings again", async () => {
  const people = scene();
  await holds(people, people.guestActor);
  await holds(people, people.hostActor);
  // A storage that is not as it should be: an alarm can be set, and what it rings for cannot be done.
  await served.rows(people.hostActor, "ALTER TABLE lapse RENAME TO elsewhere");
  await end(people.hostActor, 0);
  const complaint = ({ actor, error }) => actor === "host-match" && error.includes("no such table");
  await eventually(() => assert.ok(served.said("an alarm failed").some(complaint), served.logs().join("\n")));

  await served.rows(people.hostActor, "ALTER TABLE elsewhere RENAME TO lapse");
  await send(people.hostActor, JSON.stringify(letGo(people, people.guestActor)));
  for (const actor of [people.hostActor, people.guestActor]) {
    await eventually(async () => assert.deepEqual(await claims(served, actor), []));
  }
});

test("an alarm that panics rings again", async () => {
  const people = scene();
  await holds(people, people.hostActor, "panic at alarm");
  await end(people.hostActor, 0);
  await eventually(async () => assert.deepEqual(await claims(served, people.hostActor), []));
});

test("what cannot be delivered stays in the outbox and is tried again later", async () => {
  const people = scene();
  await held(served, people, slot(9), soon(300_000));
  // A message that its receiver cannot take.
  const misled = { Tell: { to: people.hostActor, command: { Booking: { Resume: {} } } } };
  await send(people.bookingActor, JSON.stringify(misled));
  const key = request(people.guest, "com.huddle.cancel", "once");
  await served.ask(people.bookingActor, "Cancel", { key, reason: null });
  await eventually(async () => {
    const left = await served.rows(people.bookingActor, "SELECT task, tries FROM outbox");
    assert.equal(left.length, 1);
    assert.ok(left[0].tries >= 2);
  });
  assert.deepEqual(await claims(served, people.hostActor), []);
});

test("a task that dies once it is done is brought again by the queue, and takes effect once", async () => {
  const people = scene();
  await abandoned(people);
  // What else is in the batch is brought again with it.
  const again = () => served.said("a job is done that was brought before").filter(({ task }) => task === "resume");
  const before = again().length;
  await served.fault(people.bookingActor, "panic once done");
  await served.queue(JSON.stringify({ Resume: people.booking }));
  await eventually(() => assert.ok(again().slice(before).some(({ tries }) => tries === 2)));
  const { Ok: booking } = await served.ask(people.bookingActor, "Read", { by: null });
  assert.equal(booking.attempt, 2);
});

test("an abandoned booking is resumed through its alarm, its outbox and the queue", async () => {
  const people = scene();
  await abandoned(people);
  await served.rows(people.bookingActor, "UPDATE timer SET due = 0 WHERE name = 'phase'");
  await served.remind(people.bookingActor);
  await resumed(people);
});

/** Has a booking wait for an alarm that does not come: no list knows of it, and nobody asks for it. */
async function forgotten(people) {
  await abandoned(people);
  await served.rows(people.bookingActor, "UPDATE timer SET due = 0 WHERE name = 'phase'");
  await served.overdue(people.bookingActor);
}

test("the cron trigger wakes a booking whose alarm was lost and of which no list knows", async () => {
  const people = scene();
  await forgotten(people);
  assert.deepEqual(await served.index("SELECT id FROM bookings WHERE id = ?", people.booking), []);
  await served.scheduled();
  await resumed(people);
});

test("what was told of hosts and nobody has signed is forgotten at midnight, once it is old", async () => {
  const put = "INSERT INTO offers (uri, host_did, rev, indexed) VALUES (?, ?, ?, ?)";
  const [old, fresh, signed] = [scene().guest, scene().guest, scene().guest];
  const eightDays = 8 * 24 * 3_600_000;
  await served.index(put, `at://${old}/a`, old, "", soon(-eightDays));
  await served.index(put, `at://${fresh}/a`, fresh, "", soon(-1000));
  await served.index(put, `at://${signed}/a`, signed, "3kaaaaaaaaaa2", soon(-eightDays));
  await served.scheduled("0 0 * * *");
  const kept = await served.index("SELECT host_did FROM offers WHERE host_did IN (?, ?, ?) ORDER BY id", old, fresh, signed);
  assert.deepEqual(kept, [{ host_did: fresh }, { host_did: signed }]);
});

test("what no sweep can mend takes no turn from others", async () => {
  const later = "INSERT INTO pending_actors (actor, mark, due) VALUES ('later-kind/' || ?, 1, -1)";
  for (let n = 0; n < 60; n++) await served.index(later, n);
  const people = scene();
  await forgotten(people);
  await served.scheduled();
  await served.scheduled();
  await resumed(people);
  const left = await served.index("SELECT due FROM pending_actors WHERE actor LIKE 'later-kind/%'");
  assert.equal(left.length, 60);
  assert.ok(left.every(({ due }) => due > Date.now()));
});

const registered = (people) =>
  served.index("SELECT mark, due FROM pending_actors WHERE actor = ?", people.bookingActor);

/** The mark in a booking's own storage. */
const marks = (people) => served.rows(people.bookingActor, "SELECT mark FROM registration");

/** Has a booking's alarm ring at once, for something that is soon done. */
async function ring(people) {
  await send(people.bookingActor, JSON.stringify(letGo(people, people.guestActor)));
  await served.remind(people.bookingActor);
}

test("a booking is in the register for as long as it waits", async () => {
  const people = scene();
  await served.ask(people.bookingActor, "Read", { by: null });
  assert.deepEqual(await registered(people), [], "nobody waits");
  await served.ask(people.bookingActor, "Create", create(people));
  const [{ mark }] = await registered(people);
  assert.deepEqual(await marks(people), [{ mark }]);
  await served.ask(people.bookingActor, "Create", create(people));
  assert.equal((await registered(people)).length, 1);

  await served.rows(people.bookingActor, "DELETE FROM timer");
  await ring(people);
  await eventually(async () => assert.deepEqual(await registered(people), []));
  assert.deepEqual(await marks(people), []);
});

test("the register hears until when a booking waits", async () => {
  const people = scene();
  await served.ask(people.bookingActor, "Create", create(people));
  const due = soon(86_400_000);
  await served.rows(people.bookingActor, "UPDATE timer SET due = ?", due);
  await ring(people);
  await eventually(async () => assert.ok((await registered(people))[0].due > due));
});

test("what waits for nothing is struck off the register", async () => {
  const people = scene();
  await served.index("INSERT INTO pending_actors (actor, mark, due) VALUES (?, 1, 0)", people.bookingActor);
  await served.scheduled();
  assert.deepEqual(await registered(people), []);
  assert.deepEqual(await served.tables(people.bookingActor), {});
});

test("what would wait is not begun while the register cannot be told", async () => {
  const people = scene();
  await served.index("ALTER TABLE pending_actors RENAME TO elsewhere");
  try {
    const refused = await served.post(people.bookingActor, { Booking: { Create: create(people) } });
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /the register cannot be told/);
    assert.deepEqual(await served.ask(people.bookingActor, "Read", { by: null }), { Err: null });
  } finally {
    await served.index("ALTER TABLE elsewhere RENAME TO pending_actors");
  }
  await served.ask(people.bookingActor, "Create", create(people));
});

/** Longer than the platform waits before it rings a last time. */
const LAST_WAIT_MILLIS = 80_000;

test("an alarm that the platform has given up is made good by the cron trigger", { skip: !FULL && "it takes minutes" }, async () => {
  const people = scene();
  await abandoned(people);
  await served.fault(people.bookingActor, "panic at every ring");
  await served.rows(people.bookingActor, "UPDATE timer SET due = 0 WHERE name = 'phase'");
  await served.remind(people.bookingActor);
  const rings = () => served.logs().filter((line) => line.includes("a test asked for this")).length;
  const begun = rings();
  for (let heard; heard !== rings(); ) {
    heard = rings();
    await setTimeout(LAST_WAIT_MILLIS);
  }
  assert.ok(rings() - begun > 1, "it was tried again");
  await served.fault(people.bookingActor, "none");
  await served.overdue(people.bookingActor);
  await served.scheduled();
  await resumed(people);
});

test("a message that is no task of this version is brought again, and does no harm to the others of its batch", async () => {
  const people = scene();
  await abandoned(people);
  await served.queue("nonsense");
  await served.queue(JSON.stringify({ Resume: people.booking }));
  await resumed(people);
  await eventually(() => {
    const complaints = served.logs().filter((line) => line.includes("it is no task of this version"));
    assert.ok(complaints.length > 1, "it is brought again");
    assert.ok(complaints.every((line) => JSON.parse(line).message === "a job failed, and is tried again"));
  });
  const given = (await served.jobs()).map(({ task }) => task);
  assert.ok(!given.includes("nonsense"));
});

test("what the platform gives up is listed page by page, and all of it is tried again", async () => {
  const people = scene();
  await abandoned(people);
  const strange = Array.from({ length: 44 }, (_, number) => `strange ${number}`);
  for (const text of strange) await served.abandon(text);
  await served.abandon(JSON.stringify({ Resume: people.booking }));
  await eventually(async () => assert.equal((await served.jobs()).length, 45));

  const pages = [];
  for (let after = 0; after !== undefined; ) {
    const page = await (await served.operate("GET", `/internal/jobs?most=20&after=${after}`)).json();
    pages.push(page.jobs);
    ({ after } = page);
  }
  assert.deepEqual(pages.map((page) => page.length), [20, 20, 5, 0]);
  const jobs = pages.flat();
  assert.deepEqual(jobs.map(({ id }) => id), jobs.map(({ id }) => id).toSorted((one, other) => one - other));
  const known = jobs.find(({ actor }) => actor !== "unknown");
  assert.equal(known.actor, people.bookingActor);
  assert.deepEqual(JSON.parse(known.task), { Resume: people.booking });
  assert.equal(known.tries, 101);
  assert.match(known.why, /it was given up/);
  const unknown = jobs.filter(({ actor }) => actor === "unknown").map(({ task }) => task);
  assert.deepEqual(unknown.toSorted(), strange.toSorted());

  const retried = [];
  for (let from = ""; from !== undefined; ) {
    const answer = await (await served.operate("POST", `/internal/jobs/retry${from}`)).json();
    retried.push(answer.retried);
    from = answer.before === undefined ? undefined : `?before=${answer.before}`;
  }
  assert.deepEqual(retried, [40, 5, 0]);
  await resumed(people);
  assert.deepEqual(await served.jobs(), []);
});

test("what is given up while it cannot be kept is kept once it can", async () => {
  await served.index("ALTER TABLE dead_letters RENAME TO hidden");
  await served.abandon("late");
  await eventually(() => assert.ok(served.said("a dead letter is not kept").length > 0));
  await served.index("ALTER TABLE hidden RENAME TO dead_letters");
  await eventually(async () => assert.deepEqual((await served.jobs()).map(({ task }) => task), ["late"]));
});

test("what was given up is forgotten once it is old, and the oldest where there is too much", async () => {
  const tasks = async () => (await served.jobs()).map(({ task }) => task);
  const insert =
    "INSERT INTO dead_letters (id, message, actor, task, tries, why, at) VALUES (?, ?, 'unknown', ?, 1, '', ?)";
  const day = 86_400_000;
  await served.index(insert, 20_000, "of yore", "of yore", soon(-91 * day));
  await served.index(insert, 20_001, "of late", "of late", soon(-89 * day));
  await served.scheduled("0 0 * * *");
  assert.ok(!(await tasks()).includes("of yore"));
  assert.ok((await tasks()).includes("of late"));

  await served.index(insert, 30_001, "one of many", "one of many", soon(0));
  await served.abandon("one too many");
  await eventually(async () => assert.deepEqual(await tasks(), ["one of many", "one too many"]));
});

test("nobody but an operator lists jobs or has them tried again, and they are told what they ask wrongly", async () => {
  for (const [method, path] of [
    ["GET", "/internal/jobs"],
    ["POST", "/internal/jobs/retry"],
    ["POST", "/internal/jobs/1/retry"],
  ]) {
    const strangers = await served.operate(method, path, "f".repeat(32));
    assert.equal(strangers.status, 401, path);
    assert.equal(strangers.headers.get("www-authenticate"), "Bearer");
    assert.equal((await served.fetch(path, { method })).status, 401, path);
  }
  for (const [method, path, status, error, message] of [
    ["POST", "/internal/jobs/seven/retry", 400, "InvalidRequest", /named by its number/],
    ["POST", "/internal/jobs/99999999999999999999/retry", 400, "InvalidRequest", /named by its number/],
    ["POST", "/internal/jobs/4000000000/retry", 404, "JobNotFound", /no job 4000000000 was given up/],
    ["POST", "/internal/jobs/retry?before=last", 400, "InvalidRequest", /before/],
    ["GET", "/internal/jobs?after=-1", 400, "InvalidRequest", /after/],
  ]) {
    const answer = await served.operate(method, path);
    const body = await answer.json();
    assert.deepEqual([answer.status, body.error], [status, error], path);
    assert.match(body.message, message);
  }
});

test("a limiter whose bucket is full again leaves no storage", async () => {
  const actor = "rate-limiter/ip/192.0.2.7";
  assert.deepEqual(await served.ask(actor, "Spend", spend(1)), { Allowed: { remaining: 0 } });
  await eventually(async () => assert.deepEqual(await served.tables(actor), {}));
  assert.deepEqual(await served.ask(actor, "Spend", spend(1)), { Allowed: { remaining: 0 } });
});

test("a question about a booking that never was leaves no storage", async () => {
  const people = scene();
  assert.deepEqual(await served.ask(people.bookingActor, "Read", { by: null }), { Err: null });
  assert.deepEqual(await served.tables(people.bookingActor), {});
});
