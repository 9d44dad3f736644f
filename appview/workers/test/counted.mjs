// The Worker with its requests to the platform counted, for the benchmark: what a plan limits for each event.
import { env as bindings } from "cloudflare:workers";
import Worker, * as worker from "./shim.js";

/** Requests since they were last asked for: by the Worker, and by the objects of bookings. */
const counts = { worker: 0, booking: 0 };

/** The same object, its methods' calls counted where they are requests. */
function counted(object, who, requests) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      return (...args) => {
        if (requests.includes(name)) counts[who] += 1;
        const result = value.apply(target, args);
        return name === "getByName" ? counted(result, who, ["fetch"]) : result;
      };
    },
  });
}

const REQUESTS = { JOBS: ["send", "sendBatch"], DB: ["batch"] };

const countedEnv = (env, who) =>
  Object.fromEntries(
    Object.entries(env).map(([name, binding]) => [
      name,
      typeof binding === "object" ? counted(binding, who, REQUESTS[name] ?? []) : binding,
    ]),
  );

const platformFetch = globalThis.fetch;
globalThis.fetch = (...args) => {
  counts.worker += 1;
  return platformFetch(...args);
};
const cache = counted(caches.default, "worker", ["match", "put", "delete"]);
Object.defineProperty(caches, "default", { get: () => cache });

export const HostMatchDO = worker.HostMatchDO;
export const RateLimiterDO = worker.RateLimiterDO;
export class BookingDO extends worker.BookingDO {
  constructor(context, env) {
    super(context, countedEnv(env, "booking"));
  }
}

export default class Counted extends Worker {
  constructor(context, env) {
    super(context, countedEnv(env, "worker"));
  }

  async fetch(request) {
    switch (new URL(request.url).pathname) {
      case "/bench/counts": {
        const answer = Response.json(counts);
        Object.assign(counts, { worker: 0, booking: 0 });
        return answer;
      }
      case "/bench/d1":
        return Response.json(await bindings.DB.prepare("SELECT status FROM bookings LIMIT 1").raw());
      default:
        return super.fetch(request);
    }
  }
}
