// A runtime in which the Worker's requests to the platform are counted, by the module that goes before it.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions } from "miniflare";

const here = (name) => new URL(name, import.meta.url);

/** The modules of a build for tests, packed or bundled, in a folder. */
function modules(folder) {
  const snippets = existsSync(join(folder, "snippets")) ? readdirSync(join(folder, "snippets"), { recursive: true }) : [];
  const paths = [...readdirSync(folder), ...snippets.map((name) => join("snippets", name))];
  const module = (path, type) => ({ type, path, contents: readFileSync(join(folder, path)) });
  return [
    { type: "ESModule", path: "counted.mjs", contents: readFileSync(here("counted.mjs"), "utf8") },
    ...paths.filter((path) => path.endsWith(".js")).map((path) => module(path, "ESModule")),
    ...paths.filter((path) => /index_bg\.wasm$/.test(path)).map((path) => module(path, "CompiledWasm")),
  ];
}

/** What Miniflare is to run, with these variables. */
export const countedOptions = (folder, bindings) =>
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    cf: false,
    modules: modules(folder),
    compatibilityDate: "2026-11-01",
    // Standard output is for whoever counts.
    handleStructuredLogs: ({ level, message }) => level === "error" && console.error(message),
    bindings,
    durableObjects: {
      HostMatchDO: { className: "HostMatchDO", useSQLite: true },
      BookingDO: { className: "BookingDO", useSQLite: true },
      UserConnectorDO: { className: "UserConnectorDO", useSQLite: true },
      RateLimiterDO: { className: "RateLimiterDO", useSQLite: true },
      RequestsDO: { className: "RequestsDO", useSQLite: true },
    },
    d1Databases: { DB: "db" },
    queueProducers: { JOBS: { queueName: "jobs" } },
    queueConsumers: { jobs: { maxBatchTimeout: 1 } },
  });

/** Whoever is served at a URL. */
export const servedAt = (url) => ({ fetch: (path, init) => fetch(new URL(path, url), init) });

/** What an answer says that it has taken: requests of the Worker, and of the booking's object. */
export function requestsOf(headers) {
  const { requests, further } = JSON.parse(decodeURIComponent(headers.get("requests")));
  return { ofWorker: requests, ofBooking: further };
}
