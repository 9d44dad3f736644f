// Measures the Worker in its runtime, without wrangler in between: how soon it answers, how fast, and what that takes.
// Client and runtime share the machine. Prints one table, of both runtimes where it is told how the other one does.
//
//   node bench.mjs BUNDLE CODE [BINARY BOOKINGS [INGEST]]
//
// BUNDLE is the folder that `wrangler deploy --dry-run --outdir` has written of the build for tests, CODE the
// WebAssembly that is deployed, BINARY the command `huddle`, and BOOKINGS and INGEST what its benchmarks of these names
// have printed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { countedOptions, requestsOf, servedAt } from "./counting.mjs";
import { migrate, publish } from "./database.mjs";
import { ingest } from "./ingest.mjs";
import { Caller, World } from "./people.mjs";
import { create, scene } from "./scenes.mjs";

const PAIRS = 100;
const AT_ONCE = [1, 16];
const HALF_HOUR = 1_800_000;
const SLOTS = 40;

const [folder, code, binary, booked, ingested] = process.argv.slice(2);
const world = await World.start();
const midnight = (Math.floor(Date.now() / HALF_HOUR) + 48) * HALF_HOUR;
const hosts = Array.from({ length: Math.ceil((AT_ONCE.length * PAIRS + 100) / SLOTS) }, () => world.person());
/** Those that the other runtime is measured with: nobody is held up. */
const limits = { anonymous_per_minute: 100_000, anonymous_burst: 100_000 };
const windows = hosts.map((host) => ({ host, windows: [[midnight, midnight + SLOTS * HALF_HOUR]] }));

const bindings = { ...world.vars, LIMITS: JSON.stringify(limits) };
const started = performance.now();
const runtime = new Miniflare(countedOptions(folder, { ...bindings, WINDOWS: JSON.stringify(windows) }));
const url = await runtime.ready;
const ready = performance.now();
const served = servedAt(url);
await (await served.fetch("/healthz")).text();
const answered = performance.now();

const database = await runtime.getD1Database("DB");
await migrate(database);

/** The table: of each row its name, the two runtimes, and what it means. */
const table = [];
const row = (name, native, workers, meaning) => table.push([name, native, workers, meaning]);

/** The usual and the slow. */
function times(millis) {
  millis.sort((a, b) => a - b);
  const at = (share) => millis[Math.floor(millis.length * share)].toFixed(1);
  return `${at(0.5)} / ${at(0.99)} ms`;
}

/** Asks no store. */
const TRIVIAL = "/xrpc/_health";

async function timed(call) {
  const begun = performance.now();
  await call();
  return performance.now() - begun;
}

async function measure(count, call) {
  for (let warm = 0; warm < 50; warm++) await call(-1 - warm);
  const millis = [];
  for (let i = 0; i < count; i++) millis.push(await timed(() => call(i)));
  return times(millis);
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

async function procedure(person, name, input, status, by = caller) {
  const { body, headers } = await by.procedure(person, name, input);
  if (body.booking?.status !== status) throw new Error(JSON.stringify(body));
  const { ofWorker, ofBooking } = requestsOf(headers);
  return { id: body.booking.id, requests: `${ofWorker.length} + ${ofBooking.length}` };
}

const match = (guest, input, by) => procedure(guest, "match", input, "held", by);
const finalize = (guest, { id }) => procedure(guest, "finalize", { bookingId: id }, "confirmed");

/** How soon the command `huddle` is there, and answers. */
async function ofCommand() {
  if (!binary) return {};
  const data = mkdtempSync(join(tmpdir(), "huddle-bench-"));
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address();
  free.close();
  const begun = performance.now();
  const server = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`, "--data", data], { stdio: "ignore" });
  try {
    const version = async () => (await fetch(`http://127.0.0.1:${port}${TRIVIAL}`)).text();
    const deadline = begun + 10_000;
    for (;;) {
      try {
        await version();
        break;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await setTimeout(1);
      }
    }
    const start = `${Math.round(performance.now() - begun)} ms`;
    return { start, trivial: await measure(1000, version) };
  } finally {
    server.kill("SIGKILL");
    await once(server, "exit");
    rmSync(data, { recursive: true });
  }
}

/** A time as benchmarks print it, in milliseconds. */
function inMillis(time) {
  const [, number, unit] = /^([\d.]+)(ns|µs|ms|s)$/.exec(time);
  return (Number(number) * { ns: 1e-6, "µs": 1e-3, ms: 1, s: 1000 }[unit]).toFixed(1);
}

/** What the benchmark `bookings` has printed, by how many ran at once. */
function ofBookings() {
  const found = new Map();
  if (!booked) return found;
  for (const line of readFileSync(booked, "utf8").split("\n")) {
    const columns = line.trim().split(/\s+/);
    if (columns.length !== 7 || !/^\d+$/.test(columns[0])) continue;
    const [atOnce, pairs, ...spans] = columns;
    const [match50, match99, finalize50, finalize99, emptied] = spans.map(inMillis);
    const match = `${match50} / ${match99} ms`;
    const finalize = `${finalize50} / ${finalize99} ms`;
    found.set(Number(atOnce), { pairs, match, finalize, emptied: `${emptied} ms` });
  }
  if (found.size === 0) throw new Error(`there is no table in ${booked}`);
  return found;
}

/** What stands in a file where a pattern has groups. */
function found(path, pattern) {
  const match = pattern.exec(readFileSync(path, "utf8"));
  if (!match) throw new Error(`nothing in ${path} is like ${pattern}`);
  return match.slice(1);
}

/** What the benchmark `ingest` has printed. */
function ofIngest() {
  if (!ingested) return {};
  const [unknown] = found(ingested, /^commits with an offer, of new hosts: (\d+) a second$/m);
  const [known] = found(ingested, /^commits with an offer, of known hosts: (\d+) a second$/m);
  const [passed] = found(ingested, /^commits of others, passed over: (\d+) a second$/m);
  const spans = found(ingested, /^from a write until it is found: p50 (\S+), p99 (\S+)$/m);
  return { unknown, known, passed, found: `${spans.map(inMillis).join(" / ")} ms` };
}

const command = await ofCommand();
const bookings = ofBookings();

const trivial = await measure(1000, async () => (await served.fetch(TRIVIAL)).text());
row("trivial route", command.trivial, trivial, `\`GET ${TRIVIAL}\`, p50 / p99, one connection`);
const people = scene();
await ask(people.bookingActor, { Booking: { Create: create(people) } });
const read = await measure(1000, () => ask(people.bookingActor, { Booking: { Read: { by: null } } }));
row("round trip to an object", null, read, "the same, and a command that only reads");
const spend = { rate: { per_minute: 1, burst: 1_000_000 }, cost: 1, nonce: null };
const write = await measure(1000, () => ask("rate-limiter/ip/192.0.2.1", { RateLimiter: { Spend: spend } }));
row("write to an object", null, write, "the same, with a command that writes");
const first = await measure(300, (i) => ask(`rate-limiter/ip/${i}`, { RateLimiter: { Spend: spend } }));
row("write to a new object", null, first, "the same, the schema included");
const fromIndex = await measure(1000, async () => (await served.fetch("/bench/d1")).text());
row("read from D1", null, fromIndex, "a statement that selects one row, from JavaScript in the same Worker");

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
  const { pairs, match: nativeMatch, finalize: nativeFinalize } = bookings.get(atOnce) ?? {};
  const workers = ((PAIRS * 1000) / took).toFixed(0);
  row(`pairs a second, ${atOnce} at once`, pairs, workers, "`match` and the `finalize` that accepts it, of new guests");
  row(`match, ${atOnce} at once`, nativeMatch, times(matched), "p50 / p99 as the client sees it, committed");
  row(`finalize, ${atOnce} at once`, nativeFinalize, times(finalized), "the same");
}
for (const [atOnce, { pairs, match, finalize, emptied }] of bookings) {
  if (!AT_ONCE.includes(atOnce)) {
    row(`pairs a second, ${atOnce} at once`, pairs, null, "as above, with every commit on the disk");
    row(`match, ${atOnce} at once`, match, null, "as above");
    row(`finalize, ${atOnce} at once`, finalize, null, "as above");
  }
  row(`outbox empty, ${atOnce} at once`, emptied, null, "from the last answer until the index knows all");
}

{
  /** What objects have written, once the index knows a booking as confirmed: that is the last that is done for it. */
  const written = async (id) => {
    for (;;) {
      const row = await database.prepare("SELECT status FROM bookings WHERE id = ?").bind(id).first();
      if (row?.status === "confirmed") break;
      await setTimeout(50);
    }
    await setTimeout(1000);
    return (await served.fetch("/bench/written")).json();
  };
  const one = fresh();
  const known = await match(one.guest, one.ask);
  await finalize(one.guest, known);
  const before = await written(known.id);
  const { guest, ask } = fresh();
  const held = await match(guest, ask);
  const confirmed = await finalize(guest, held);
  const after = await written(held.id);
  row("requests of a match, new guest", null, held.requests, "subrequests of the Worker, and of the booking's object");
  row("requests of a finalize", null, confirmed.requests, "the same");
  // At another time, when the guest is free.
  pairs += hosts.length;
  const again = await match(guest, fresh().ask);
  row("requests of a match, known guest", null, again.requests, "the same; a guest is known for ten minutes");
  const rows = `${after.rows - before.rows} rows, ${after.commits - before.commits} commits`;
  const [native] = booked ? found(booked, /^written for a booking: (.+)$/m) : [];
  const meaning = "by all actors, of match and finalize with all that follows; on Workers with schemas and rows of indexes";
  row("written for a booking", native, rows, meaning);
}
{
  // The same over what a host has published, which the windows above spare the search.
  const runtime = new Miniflare(countedOptions(folder, bindings));
  const served = servedAt(await runtime.ready);
  const database = await runtime.getD1Database("DB");
  await migrate(database);
  const guest = world.person();
  for (const who of ["new", "known"]) {
    const host = world.person();
    await publish(database, host, bindings.SERVICE.split("#")[0], [midnight, midnight + 4 * HALF_HOUR]);
    const held = await match(guest, { hostDid: host }, new Caller(served, world));
    row(`requests of a match over offers, ${who} guest`, null, held.requests, "the same; a host who does not know them");
  }
  await runtime.dispose();
}
const wasm = readFileSync(code);
row("WebAssembly", null, `${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzip`, "what is deployed; at most 2 MiB gzip");
const start = `${Math.round(ready - started)} + ${Math.round(answered - ready)} ms`;
row("cold start", command.start, start, "process until its first answer; the runtime, and the Worker's first answer");
await runtime.dispose();
for (const columns of await ingest(world, times, ofIngest())) row(...columns);
world.close();

const cells = [["", "native", "Workers", "what it is"], ["---", "---:", "---:", "---"], ...table];
for (const cell of cells) console.log(`| ${cell.map((text) => text ?? "–").join(" | ")} |`);
