// The Worker with its requests to the platform counted, for the benchmark: what a plan limits for each event. So are
// the rows that its objects write, and the transactions that do.
import { env as bindings } from "cloudflare:workers";
import Worker, * as worker from "./shim.js";

/** What counts as a request, of each binding that has methods for it, and of what those make that are no requests. */
const REQUESTS = { JOBS: ["send", "sendBatch"], DB: ["batch"] };
const MADE = { getByName: ["fetch"], prepare: ["raw", "all", "run", "first"], bind: ["raw", "all", "run", "first"] };

/** The same object, with `count` called for each call of a method that is a request. */
function counted(object, count, requests) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      return (...args) => {
        if (requests.includes(name)) count();
        const result = value.apply(target, args);
        return name in MADE ? counted(result, count, MADE[name]) : result;
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

/** What all objects together have written. */
let rows = 0;
let commits = 0;

/** The cursors of the statements of the transaction that is open: what they have written they tell in the end. */
let cursors;

let isPatched = false;

/** Counts what is written to the storage of any object, as soon as there is one. */
function countWrites({ storage }) {
  if (isPatched) return;
  isPatched = true;
  const [ofStorage, ofSql] = [storage, storage.sql].map((object) => Object.getPrototypeOf(object));
  const { transactionSync } = ofStorage;
  const { exec } = ofSql;
  ofSql.exec = function (...args) {
    const cursor = exec.apply(this, args);
    cursors?.push(cursor);
    return cursor;
  };
  ofStorage.transactionSync = function (work) {
    cursors = [];
    const result = transactionSync.call(this, work);
    const written = cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);
    rows += written;
    if (written > 0) commits += 1;
    return result;
  };
}

const written = (object) =>
  class extends object {
    constructor(context, env) {
      countWrites(context);
      super(context, env);
    }
  };

export const HostMatchDO = written(worker.HostMatchDO);
export const RateLimiterDO = written(worker.RateLimiterDO);
export const UserConnectorDO = written(worker.UserConnectorDO);
export const RequestsDO = written(worker.RequestsDO);
export class BookingDO extends written(worker.BookingDO) {
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
    const { pathname } = new URL(request.url);
    if (pathname === "/bench/written") return Response.json({ rows, commits });
    if (pathname === "/bench/d1") {
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
