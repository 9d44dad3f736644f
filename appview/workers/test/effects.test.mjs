// What comes of bookings outside, in this runtime: mail by an API, and calendars on the pages where they are connected.
import assert from "node:assert/strict";
import { test } from "node:test";
import { once } from "node:events";
import { createServer } from "node:http";
import { StandInMailApi } from "../../../tests/peers/mail-api.mjs";
import { FOR_TESTS, OPERATOR_TOKEN, eventually, serve, shared } from "./harness.mjs";
import { Caller, World } from "./people.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const API_KEY = "the key of an account";

/** The moment so many hours after a midnight that is one to two days ahead. */
const at = (hours) => (Math.floor(Date.now() / DAY) + 2) * DAY + hours * HOUR;

let served, world, caller, mail;
/** Hosts who have two hours. */
const free = [];

shared(async (close) => {
  world = await World.start();
  close(() => world.close());
  mail = await StandInMailApi.start(API_KEY);
  close(() => mail.close());
  for (let n = 0; n < 8; n++) free.push(world.person());
  const windows = free.map((host) => ({ host, windows: [[at(0), at(2)]] }));
  const vars = {
    ...world.vars,
    PUBLIC_URL: "http://huddle.test",
    WINDOWS: JSON.stringify(windows),
    CALENDAR_KEYS: `test:${"09".repeat(32)}`,
    MAIL_API: mail.url,
    MAIL_API_KEY: API_KEY,
    MAIL_FROM: "Huddle <bookings@huddle.test>",
    OPERATOR_TOKEN,
  };
  served = await serve(FOR_TESTS, vars);
  close(() => served.close());
  caller = new Caller(served, world);
});

function answered({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The text of the parts of a message, by type. */
function read(message) {
  const [, boundary] = message.match(/boundary="([^"]+)"/);
  const parts = message.split(`--${boundary}`).slice(1, -1);
  const entry = (part) => {
    const [head, ...rest] = part.split("\r\n\r\n");
    const [, type] = head.match(/content-type: ([^;\s]+)/i);
    const [, encoding] = head.match(/content-transfer-encoding: (\S+)/i) ?? [];
    return [type, decode(rest.join("\r\n\r\n"), encoding?.toLowerCase())];
  };
  return Object.fromEntries(parts.map(entry));
}

function decode(text, encoding) {
  if (encoding === "base64") return Buffer.from(text, "base64").toString();
  if (encoding !== "quoted-printable") return text;
  const bytes = text.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

const header = (message, name) => message.match(new RegExp(`^${name}: (.*)\\r$`, "im"))[1];

/** What was sent to an address, taken or not. */
const sentTo = (email) => mail.asked.filter(({ to }) => to === email);

/** The messages to an address, once there are so many. */
const messages = (email, count) =>
  eventually(() => {
    const sent = sentTo(email).map(({ message }) => message);
    assert.ok(sent.length >= count, `${email} has ${sent.length}`);
    return sent;
  });

/** Opens the page that a link leads to, and presses its button. */
async function follow(text, page) {
  const link = new URL(text.match(new RegExp(`http\\S+${page}\\S+`))[0]);
  const asked = await served.fetch(`${link.pathname}${link.search}`);
  assert.equal(asked.status, 200, await asked.text());
  return served.fetch(link.pathname, { method: "POST", body: new URLSearchParams(link.searchParams) });
}

/** Has mail to somebody go to an address. */
async function reads(person, email) {
  answered(await caller.procedure(person, "requestEmailConfirmation", { email }));
  const [letter] = await messages(email, 1);
  const done = await follow(read(letter)["text/plain"], "confirm-email");
  assert.match(await done.text(), /The address is confirmed/);
}

let mailboxes = 0;

/** A host and a guest who get mail, and a meeting of theirs. */
async function meeting() {
  const [host, guest] = [free.pop(), world.person()];
  mailboxes += 1;
  const [hosts, guests] = ["host", "guest"].map((side) => `${side}${mailboxes}@mail.test`);
  await reads(host, hosts);
  await reads(guest, guests);
  const { booking } = answered(await caller.procedure(guest, "match", { hostDid: host }));
  return { host, guest, hosts, guests, bookingId: booking.id };
}

const accept = async ({ guest, bookingId }) =>
  answered(await caller.procedure(guest, "finalize", { bookingId })).booking;

const invitationOf = (message) => read(message)["text/calendar"];

/** The task that brings mail about a booking to a side. */
async function taskOf({ bookingId }, party) {
  const [{ document }] = await served.rows(`booking/${bookingId}`, "SELECT document FROM booking");
  const { revision } = JSON.parse(document);
  return JSON.stringify({ Effect: { booking: bookingId, party, channel: "mail", revision } });
}

/** Waits until the queue has worked off what is in it: batches come one after the other. */
async function workedOff() {
  for (let batch = 0; batch < 2; batch++) {
    const person = world.person();
    mailboxes += 1;
    const email = `barrier${mailboxes}@mail.test`;
    answered(await caller.procedure(person, "requestEmailConfirmation", { email }));
    await messages(email, 1);
  }
}

test("a meeting is mailed to both sides once, also where the queue brings a task twice", async () => {
  const people = await meeting();
  await accept(people);
  const tasks = [await taskOf(people, "host"), await taskOf(people, "guest")];
  for (const email of [people.hosts, people.guests]) {
    const [, letter] = await messages(email, 2);
    const invitation = invitationOf(letter);
    assert.match(invitation, /^METHOD:REQUEST\r$/m);
    assert.match(invitation, new RegExp(`^UID:${people.bookingId}\\r$`, "m"));
  }
  for (const task of [...tasks, ...tasks]) await served.queue(task);
  await workedOff();
  for (const email of [people.hosts, people.guests]) assert.equal(sentTo(email).length, 2, email);
});

test("a meeting is called off on the page that a letter leads to, and both sides are told", async () => {
  const people = await meeting();
  await accept(people);
  const [, letter] = await messages(people.guests, 2);
  const done = await follow(read(letter)["text/plain"], "cancel-booking");
  assert.match(await done.text(), /The meeting is called off/);
  for (const email of [people.hosts, people.guests]) {
    const [, , last] = await messages(email, 3);
    assert.match(invitationOf(last), /^METHOD:CANCEL\r$/m);
  }
});

test("a mail API that fails gets the same letter again", async () => {
  const people = await meeting();
  mail.faults.push({ status: 503 }, { status: 500 });
  await accept(people);
  for (const email of [people.hosts, people.guests]) await messages(email, 2);
  await eventually(() => assert.equal(sentTo(people.hosts).length + sentTo(people.guests).length, 6));
  for (const email of [people.hosts, people.guests]) {
    const letters = sentTo(email).slice(1);
    const named = letters.map(({ message }) => [header(message, "message-id"), invitationOf(message)]);
    assert.ok(named.every((one) => `${one}` === `${named[0]}`));
  }
});

test("a mail API that says when it may be asked again is not asked before", async () => {
  const email = "patient@mail.test";
  mail.faults.push({ status: 429, headers: { "retry-after": "4" } });
  answered(await caller.procedure(world.person(), "requestEmailConfirmation", { email }));
  await messages(email, 2);
  const [first, second] = sentTo(email);
  assert.ok(second.at - first.at >= 4000, `${second.at - first.at} ms`);
});

test("what the mail API refuses for good is listed, and done once it is tried again", async () => {
  const person = world.person();
  mail.faults.push({ status: 422 });
  const email = "refused@mail.test";
  answered(await caller.procedure(person, "requestEmailConfirmation", { email }));
  const job = await eventually(async () => {
    const [job, ...others] = await served.jobs();
    assert.ok(job && others.length === 0);
    return job;
  });
  assert.equal(job.actor, `user-connector/${person}`);
  assert.equal(JSON.parse(job.task).ConfirmAddress.person, person);
  assert.deepEqual([job.tries, job.why], [1, "the mail API answers 422"]);
  assert.ok(Math.abs(Date.now() - job.at) < HOUR);
  assert.ok(!JSON.stringify(job).includes(email), "nobody's address is told");
  const [letter] = served.said("a job failed, and is a dead letter now").filter(({ job: id }) => id === job.message);
  assert.deepEqual([letter?.task, letter?.tries, letter?.wait_secs], ["mail", 1, null]);
  assert.equal((await served.measured())('huddle_queue_depth{state="dead"}'), 1);
  assert.equal(sentTo(email).length, 1);

  const retry = () => served.operate("POST", `/internal/jobs/${job.id}/retry`);
  assert.deepEqual(await (await retry()).json(), { retried: 1 });
  await messages(email, 2);
  assert.deepEqual(await served.jobs(), []);
  const again = await retry();
  assert.deepEqual([again.status, (await again.json()).error], [404, "JobNotFound"]);
  await workedOff();
  assert.equal(sentTo(email).length, 2);
  assert.equal((await served.measured())('huddle_queue_depth{state="dead"}'), 0);
});

test("what fails again is listed again, under a number of its own", async () => {
  const person = world.person();
  mail.faults.push({ status: 422 }, { status: 422 });
  const email = "stubborn@mail.test";
  answered(await caller.procedure(person, "requestEmailConfirmation", { email }));
  const given = (but) =>
    eventually(async () => {
      const jobs = await served.jobs();
      assert.deepEqual(jobs.map(({ id }) => id).filter((id) => id !== but).length, 1);
      assert.equal(jobs.length, 1);
      return jobs[0].id;
    });
  const first = await given();
  assert.equal((await served.operate("POST", `/internal/jobs/${first}/retry`)).status, 200);
  const second = await given(first);
  assert.ok(second > first);
  assert.equal((await served.operate("POST", "/internal/jobs/retry")).status, 200);
  await messages(email, 3);
  assert.deepEqual(await served.jobs(), []);
});

test("an operator reads what comes of requests, holds, bookings and tasks, and how long providers take", async () => {
  const before = await served.measured();
  const people = await meeting();
  await accept(people);
  await messages(people.guests, 2);
  const grown = async (series, least) => {
    const after = await served.measured();
    assert.ok(after(series) - before(series) >= least, series);
  };
  await eventually(async () => {
    await grown('huddle_requests_total{nsid="com.huddle.match",outcome="ok"}', 1);
    await grown('huddle_request_seconds_count{nsid="com.huddle.match"}', 1);
    await grown('huddle_matches_total{outcome="held"}', 1);
    await grown("huddle_match_seconds_count{}", 1);
    await grown('huddle_bookings_total{event="confirmed"}', 1);
    await grown('huddle_provider_seconds_count{provider="mail",outcome="ok"}', 4);
    await grown('huddle_task_seconds_count{kind="mail",outcome="ok"}', 4);
    await grown('huddle_task_seconds_count{kind="project",outcome="ok"}', 1);
  });
  const after = await served.measured();
  const held = 'huddle_holds_total{outcome="held"}';
  assert.equal(after(held) - before(held), 2, "the host's time, and the guest's");
  await eventually(async () => {
    await served.queue(JSON.stringify({ Project: people.bookingId }));
    const now = await served.measured();
    assert.ok(now('huddle_queue_depth{state="waiting"}') > 0);
    assert.ok(now("huddle_queue_age_seconds{}") < 3600);
  });
  await eventually(async () => {
    const now = await served.measured();
    assert.deepEqual([now('huddle_queue_depth{state="waiting"}'), now("huddle_queue_age_seconds{}")], [0, 0]);
  });
});

test("an actor starts when its object does, however often it is asked", async () => {
  const person = world.person();
  const starts = async () => (await served.measured())('huddle_actor_starts_total{kind="user-connector"}');
  const ask = async () => answered(await caller.query(person, "listConnectors", {}));
  await workedOff();
  const before = await starts();
  for (let times = 0; times < 3; times++) await ask();
  assert.equal((await starts()) - before, 1);
  await served.evict(`user-connector/${person}`);
  await ask();
  assert.equal((await starts()) - before, 2);
});

/** What the page says once it was told to connect the calendars of an account. */
async function connecting(address) {
  const params = { provider: "caldav" };
  const page = new URL(answered(await caller.query(world.person(), "getConnectUrl", params)).url);
  const ticket = page.searchParams.get("ticket");
  const body = new URLSearchParams({ ticket, address, user: "ada", password: "secret" });
  const said = await served.fetch("/connect", { method: "POST", body, redirect: "manual" });
  return said.text();
}

test("the calendars of an e-mail address are where DNS says, which no password goes to unasked", async () => {
  const service = "_caldavs._tcp.people.test";
  world.services.set(service, [
    { priority: 20, weight: 0, port: 443, target: "spare.test" },
    { priority: 10, weight: 0, port: 8443, target: "dav.test" },
  ]);
  assert.match(await connecting("ada@people.test"), /The calendar is at another host, dav\.test:8443\./);
  const asked = world.questions.filter((question) => question.startsWith(service));
  assert.deepEqual(asked, [`${service} SRV`, `${service} TXT`]);
  assert.ok(!world.questions.some((question) => /^(dav|spare|people)\.test /.test(question)));
});

test("DNS may say that an e-mail address has no calendars, and need say nothing", async () => {
  world.services.set("_caldavs._tcp.nowhere.test", [{ priority: 0, weight: 0, port: 0, target: "" }]);
  assert.match(await connecting("ada@nowhere.test"), /There is no calendar at that address/);
  assert.ok(!world.questions.includes("nowhere.test A"));
  await connecting("ada@silent.test");
  assert.ok(world.questions.includes("_caldavs._tcp.silent.test SRV"));
  assert.ok(world.questions.includes("silent.test A"), "its own host is asked");
});

/** A published calendar. */
async function feed(close) {
  const empty = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//A//A//EN\r\nEND:VCALENDAR\r\n";
  const server = createServer((_, response) => response.end(empty)).listen(0, "127.0.0.1");
  close(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}/secret.ics`;
}

test("a calendar is connected on a page, listed, sealed anew, and disconnected", async (t) => {
  const person = world.person();
  const address = await feed((close) => t.after(close));
  const page = new URL(answered(await caller.query(person, "getConnectUrl", { provider: "ics" })).url);
  assert.equal(page.origin, "http://huddle.test");
  const form = await served.fetch(`${page.pathname}${page.search}`);
  assert.equal(form.status, 200);
  assert.match(form.headers.get("content-security-policy"), /form-action 'self'/);
  assert.ok((await form.text()).includes(person));
  const body = new URLSearchParams({ ticket: page.searchParams.get("ticket"), address });
  const done = await served.fetch("/connect", { method: "POST", body, redirect: "manual" });
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/connect/done"]);
  const listed = async () => answered(await caller.query(person, "listConnectors", {})).connectors;
  const [connector] = await listed();
  assert.deepEqual([connector.provider, connector.status], ["ics", "connected"]);

  const actor = `user-connector/${person}`;
  const stored = JSON.stringify(await served.tables(actor));
  assert.ok(!stored.includes("secret.ics"), "what is stored is sealed");

  const reseal = (token) => served.operate("POST", "/internal/reseal", token);
  assert.equal((await reseal("f".repeat(32))).status, 401);
  const { newest, resealed, failed, after } = await (await reseal()).json();
  assert.deepEqual([newest, resealed, failed], ["test", 0, 0]);
  assert.ok(after.startsWith("user-connector/"));
  const register = "SELECT actor FROM pending_actors WHERE actor = ?";
  assert.deepEqual(await served.index(register, actor), [{ actor }], "it is found when keys change");

  answered(await caller.procedure(person, "deleteConnector", { connectorId: connector.id }));
  assert.deepEqual(await listed(), []);
  await served.overdue(actor);
  await served.scheduled();
  assert.deepEqual(await served.index(register, actor), [], "who keeps nothing is struck off the register");
});

test("somebody of whom nothing is sealed is in no register", async () => {
  const person = world.person();
  answered(await caller.procedure(person, "putPreferences", { preferences: {} }));
  const actor = `user-connector/${person}`;
  assert.deepEqual(await served.index("SELECT actor FROM pending_actors WHERE actor = ?", actor), []);
});
