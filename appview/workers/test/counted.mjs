// The Worker with its requests to the platform counted: what a plan limits for each event. So are the rows that its
// objects write, and the transactions that do.
import { env as bindings } from "cloudflare:workers";
import Worker, * as worker from "./shim.js";

/** What counts as a request, of each binding that has methods for it, and of what those make that are no requests. */
const REQUESTS = { JOBS: ["send", "sendBatch"], DB: ["batch"] };
const MADE = { getByName: ["fetch"], prepare: ["raw", "all", "run", "first"], bind: ["raw", "all", "run", "first"] };

/** Descriptions that are still being read from the bodies of requests. */
let reading = [];

/** Notes a request in a list; with the command that it carries, where somebody wants to read that. */
function note(list, what, argument) {
  const entry = { what };
  list.push(entry);
  if (!bindings.DESCRIBE || !argument?.body) return;
  const command = argument.clone().json().then((body) => {
    const [of] = Object.values(body);
    entry.what += `: ${Object.keys(of ?? {})[0]}`;
  });
  reading.push(command.catch(() => {}));
}

/** The same object, with each call of a method that is a request noted by `tell`. */
function counted(object, tell, requests, what) {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function" || name === "constructor") return value;
      return (...args) => {
        if (requests.includes(name)) tell(`${what}.${name}`, args[0]);
        const result = value.apply(target, args);
        const made = typeof args[0] === "string" ? `${what} ${args[0].replace(/\s+/g, " ").slice(0, 80)}` : what;
        return name in MADE ? counted(result, tell, MADE[name], made) : result;
      };
    },
  });
}

const countedEnv = (env, tell) =>
  Object.fromEntries(
    Object.entries(env).map(([name, binding]) => [
      name,
      typeof binding === "object" ? counted(binding, tell, REQUESTS[name] ?? [], name) : binding,
    ]),
  );

/** Requests of the event that is running: one at a time, while they are counted. */
let ofWorker = [];
let ofBooking = [];

/** Whose a request is that all share the way to: while the booking's object is asked, the Worker waits for it. */
let bookings = 0;
const running = () => (bookings > 0 ? ofBooking : ofWorker);

const platformFetch = globalThis.fetch;
globalThis.fetch = (...args) => {
  const url = new URL(args[0].url ?? args[0]);
  note(running(), `fetch ${url.host}${decodeURIComponent(url.pathname)}`);
  return platformFetch(...args);
};
const key = (request) => decodeURIComponent(new URL(request.url ?? request).pathname);
const ofCache = (what, request) => note(running(), `${what} ${key(request)}`);
const cache = counted(caches.default, ofCache, ["match", "put", "delete"], "cache");
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
  #asked;

  constructor(context, env) {
    const asked = [];
    super(context, countedEnv(env, (...request) => note(asked, ...request)));
    this.#asked = asked;
  }

  async fetch(request) {
    const before = this.#asked.length;
    bookings += 1;
    try {
      return await super.fetch(request);
    } finally {
      bookings -= 1;
      ofBooking.push(...this.#asked.slice(before));
    }
  }
}

export default class Counted extends Worker {
  #asked;

  constructor(context, env) {
    const asked = [];
    super(context, countedEnv(env, (...request) => note(asked, ...request)));
    this.#asked = asked;
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/bench/written") return Response.json({ rows, commits });
    if (pathname === "/bench/d1") {
      return Response.json(await bindings.DB.prepare("SELECT status FROM bookings LIMIT 1").raw());
    }
    [ofWorker, ofBooking, reading] = [[], [], []];
    const answer = await super.fetch(request);
    await Promise.all(reading);
    const [requests, further] = [[...this.#asked, ...ofWorker], ofBooking].map((list) => list.map(({ what }) => what));
    const headers = new Headers(answer.headers);
    headers.set("requests", encodeURIComponent(JSON.stringify({ requests, further })));
    return new Response(answer.body, { status: answer.status, headers });
  }
}
