// Measures the Worker in its runtime, without wrangler in between: how soon it answers, and how fast.
// The argument is the folder that `wrangler deploy --dry-run --outdir` has written.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { create, scene } from "./scenes.mjs";

const folder = process.argv[2];
const modules = readdirSync(folder)
  .filter((name) => /\.(js|wasm)$/.test(name))
  .sort((a, b) => Number(b.endsWith(".js")) - Number(a.endsWith(".js")))
  .map((name) => ({
    type: name.endsWith(".js") ? "ESModule" : "CompiledWasm",
    path: name,
    contents: readFileSync(join(folder, name), name.endsWith(".js") ? "utf8" : undefined),
  }));

const started = performance.now();
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    cf: false,
    modules,
    compatibilityDate: "2026-11-01",
    bindings: { HUDDLE_TEST: "1" },
    durableObjects: {
      HostMatchDO: { className: "HostMatchDO", useSQLite: true },
      BookingDO: { className: "BookingDO", useSQLite: true },
      RateLimiterDO: { className: "RateLimiterDO", useSQLite: true },
    },
    d1Databases: { DB: "db" },
    queueProducers: { JOBS: { queueName: "jobs" } },
  }),
);
const url = await runtime.ready;
const ready = performance.now();
await (await fetch(new URL("/healthz", url))).text();
console.log(`start: runtime ${Math.round(ready - started)} ms, first answer ${Math.round(performance.now() - ready)} ms`);

const ask = async (actor, command) => {
  const body = JSON.stringify(command);
  const response = await fetch(new URL(`/test/actor/${actor}`, url), { method: "POST", body });
  if (response.status !== 200) throw new Error(await response.text());
  await response.text();
};

async function measure(name, times, call) {
  for (let warm = 0; warm < 50; warm++) await call(-1 - warm);
  const millis = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await call(i);
    millis.push(performance.now() - begun);
  }
  millis.sort((a, b) => a - b);
  const at = (share) => millis[Math.floor(millis.length * share)].toFixed(2);
  console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

const people = scene();
await ask(people.bookingActor, { Booking: { Create: create(people) } });
const spend = { rate: { per_minute: 1, burst: 1_000_000 }, cost: 1, nonce: null };
await measure("no object", 1000, async () => (await fetch(new URL("/healthz", url))).text());
await measure("a read from an object", 1000, () =>
  ask(people.bookingActor, { Booking: { Read: { by: null } } }),
);
await measure("a write to an object", 1000, () =>
  ask("rate-limiter/ip/192.0.2.1", { RateLimiter: { Spend: spend } }),
);
await measure("a write to an object that is new", 300, (i) =>
  ask(`rate-limiter/ip/${i}`, { RateLimiter: { Spend: spend } }),
);
await runtime.dispose();
