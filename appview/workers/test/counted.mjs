// The Worker with its requests to the platform counted, for the benchmark: what a plan limits for each event.
import { env as bindings } from "cloudflare:workers";
import Worker, * as worker from "./shim.js";

/** What counts as a request, of each binding that has methods for it. */
const REQUESTS = { JOBS: ["send", "sendBatch"], DB: ["batch"] };

/** The same object, with `count` called for each call of a method that is a request. */
function counted(object, count, requests) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      return (...args) => {
        if (requests.includes(name)) count();
        const result = value.apply(target, args);
        return name === "getByName" ? counted(result, count, ["fetch"]) : result;
      };
    },
  });
}

const countedEnv = (env, count) =>
  Object.fromEntries(
    Object.entries(env).map(([name, binding]) => [
      name,
      typeof binding === "object" ? counted(binding, count, REQUESTS[name] ?? []) : binding,
    ]),
  );

/** Requests of the event that is running: one at a time, while they are counted. */
let ofWorker = 0;
let ofBooking = 0;

const platformFetch = globalThis.fetch;
globalThis.fetch = (...args) => {
  ofWorker += 1;
  return platformFetch(...args);
};
const cache = counted(caches.default, () => (ofWorker += 1), ["match", "put", "delete"]);
Object.defineProperty(caches, "default", { get: () => cache });

export const HostMatchDO = worker.HostMatchDO;
export const RateLimiterDO = worker.RateLimiterDO;
export class BookingDO extends worker.BookingDO {
  #count;

  constructor(context, env) {
    const count = { requests: 0 };
    super(context, countedEnv(env, () => (count.requests += 1)));
    this.#count = count;
  }

  async fetch(request) {
    const before = this.#count.requests;
    try {
      return await super.fetch(request);
    } finally {
      ofBooking += this.#count.requests - before;
    }
  }
}

export default class Counted extends Worker {
  #count;

  constructor(context, env) {
    const count = { requests: 0 };
    super(context, countedEnv(env, () => (count.requests += 1)));
    this.#count = count;
  }

  async fetch(request) {
    if (new URL(request.url).pathname === "/bench/d1") {
      return Response.json(await bindings.DB.prepare("SELECT status FROM bookings LIMIT 1").raw());
    }
    ofWorker = ofBooking = 0;
    const answer = await super.fetch(request);
    const headers = new Headers(answer.headers);
    headers.set("requests", `${this.#count.requests + ofWorker}`);
    headers.set("requests-of-booking", `${ofBooking}`);
    return new Response(answer.body, { status: answer.status, headers });
  }
}
