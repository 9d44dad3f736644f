// Measures the Worker in its runtime, without wrangler in between: how soon it answers, and how fast. Client and
// runtime share the machine. The argument is the folder that `wrangler deploy --dry-run --outdir` has written.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { Caller, World } from "./people.mjs";
import { create, scene } from "./scenes.mjs";

const PAIRS = 100;
const AT_ONCE = [1, 16];
const HALF_HOUR = 1_800_000;
const SLOTS = 40;

const folder = process.argv[2];
const here = (name) => new URL(name, import.meta.url);
const script = (path, contents) => ({ type: "ESModule", path, contents });
const modules = [
  script("counted.mjs", readFileSync(here("counted.mjs"), "utf8")),
  ...readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .map((name) => script(name, readFileSync(join(folder, name), "utf8"))),
  ...readdirSync(folder)
    .filter((name) => name.endsWith(".wasm"))
    .map((path) => ({ type: "CompiledWasm", path, contents: readFileSync(join(folder, path)) })),
];

const world = await World.start();
const midnight = (Math.floor(Date.now() / HALF_HOUR) + 48) * HALF_HOUR;
const hosts = Array.from({ length: Math.ceil((AT_ONCE.length * PAIRS + 100) / SLOTS) }, () => world.person());
const windows = hosts.map((host) => ({ host, windows: [[midnight, midnight + SLOTS * HALF_HOUR]] }));

const started = performance.now();
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    cf: false,
    modules,
    compatibilityDate: "2026-11-01",
    bindings: { ...world.vars, WINDOWS: JSON.stringify(windows) },
    durableObjects: {
      HostMatchDO: { className: "HostMatchDO", useSQLite: true },
      BookingDO: { className: "BookingDO", useSQLite: true },
      RateLimiterDO: { className: "RateLimiterDO", useSQLite: true },
    },
    d1Databases: { DB: "db" },
    queueProducers: { JOBS: { queueName: "jobs" } },
    queueConsumers: { jobs: { maxBatchTimeout: 1 } },
  }),
);
const url = await runtime.ready;
const ready = performance.now();
const served = { fetch: (path, init) => fetch(new URL(path, url), init) };
await (await served.fetch("/healthz")).text();
const answered = performance.now();

const database = await runtime.getD1Database("DB");
const schema = readFileSync(here("../../../migrations/index/0001_bookings.sql"), "utf8");
for (const statement of schema.replace(/^--.*$/gm, "").split(";")) {
  if (statement.trim()) await database.prepare(statement).run();
}

const line = (name, ...columns) => console.log([name.padEnd(34), ...columns.map((it) => it.padStart(10))].join(""));

/** Prints the usual and the slow. */
function times(name, millis) {
  millis.sort((a, b) => a - b);
  const at = (share) => `${millis[Math.floor(millis.length * share)].toFixed(2)} ms`;
  line(name, at(0.5), at(0.99));
}

async function timed(call) {
  const begun = performance.now();
  await call();
  return performance.now() - begun;
}

async function measure(name, count, call) {
  for (let warm = 0; warm < 50; warm++) await call(-1 - warm);
  const millis = [];
  for (let i = 0; i < count; i++) millis.push(await timed(() => call(i)));
  times(name, millis);
}

const ask = async (actor, command) => {
  const response = await served.fetch(`/test/actor/${actor}`, { method: "POST", body: JSON.stringify(command) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
};

const caller = new Caller(served, world);
let pairs = 0;

/** A guest whom nobody knows, and a slot that nobody has. */
function fresh() {
  const host = hosts[pairs % hosts.length];
  const start = midnight + Math.floor(pairs / hosts.length) * HALF_HOUR;
  pairs += 1;
  const moment = (millis) => new Date(millis).toISOString();
  const constraints = { earliest: moment(start), latest: moment(start + HALF_HOUR) };
  return { guest: world.person(), ask: { hostDid: host, constraints } };
}

async function procedure(person, name, input, status) {
  const { body, headers } = await caller.procedure(person, name, input);
  if (body.booking?.status !== status) throw new Error(JSON.stringify(body));
  const [requests, further] = [headers.get("requests"), headers.get("requests-of-booking")];
  return { id: body.booking.id, requests: `${requests}, and ${further} by the booking` };
}

const match = (guest, input) => procedure(guest, "match", input, "held");
const finalize = (guest, { id }) => procedure(guest, "finalize", { bookingId: id }, "confirmed");

line("", "p50", "p99");
await measure("trivial route", 1000, async () => (await served.fetch("/healthz")).text());
const people = scene();
await ask(people.bookingActor, { Booking: { Create: create(people) } });
await measure("round trip to an object", 1000, () => ask(people.bookingActor, { Booking: { Read: { by: null } } }));
const spend = { rate: { per_minute: 1, burst: 1_000_000 }, cost: 1, nonce: null };
await measure("write to an object", 1000, () => ask("rate-limiter/ip/192.0.2.1", { RateLimiter: { Spend: spend } }));
await measure("write to an object that is new", 300, (i) => ask(`rate-limiter/ip/${i}`, { RateLimiter: { Spend: spend } }));
await measure("read from D1", 1000, async () => (await served.fetch("/bench/d1")).text());

for (let warm = 0; warm < 20; warm++) {
  const { guest, ask } = fresh();
  await finalize(guest, await match(guest, ask));
}
for (const atOnce of AT_ONCE) {
  const [matched, finalized] = [[], []];
  let left = PAIRS;
  const client = async () => {
    while (left-- > 0) {
      const { guest, ask } = fresh();
      let held;
      matched.push(await timed(async () => (held = await match(guest, ask))));
      finalized.push(await timed(() => finalize(guest, held)));
    }
  };
  const took = await timed(() => Promise.all(Array.from({ length: atOnce }, client)));
  times(`match, ${atOnce} at once`, matched);
  times(`finalize, ${atOnce} at once`, finalized);
  console.log(`match and finalize, ${atOnce} at once: ${((PAIRS * 1000) / took).toFixed(0)} pairs/s`);
}

{
  const { guest, ask } = fresh();
  const held = await match(guest, ask);
  console.log(`requests of a match, of a guest who is not known: ${held.requests}`);
  console.log(`requests of a finalize: ${(await finalize(guest, held)).requests}`);
  // At another time, when the guest is free.
  pairs += hosts.length;
  console.log(`requests of a match, of a guest who is known: ${(await match(guest, fresh().ask)).requests}`);
}
console.log(`cold start: runtime ${Math.round(ready - started)} ms, first answer ${Math.round(answered - ready)} ms`);
await runtime.dispose();
world.close();
