// The Worker in the runtime that Cloudflare runs, and commands to its actors.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";

/** Much longer than an object leaves its work alone after a failure: a busy machine is slow. */
export const PATIENCE_MILLIS = 60_000;

const root = fileURLToPath(new URL("..", import.meta.url));

/** The class of each kind of actor, after which its binding is called too. */
const CLASSES = {
  "host-match": "HostMatchDO",
  booking: "BookingDO",
  "user-connector": "UserConnectorDO",
  "rate-limiter": "RateLimiterDO",
};

/**
 * Opens what the tests of a file share, and closes it after them: `open` is given a function that notes what to close,
 * the last first. Where none of the tests is to run, the runner begins with the end before it has come through the
 * beginning; where the beginning fails, part of it is open.
 */
export function shared(open) {
  const closings = [];
  let opening;
  before(() => (opening = open((close) => closings.push(close))));
  after(async () => {
    await Promise.allSettled([opening]);
    for (const close of closings.reverse()) await close();
  });
}

/** The configuration of what is deployed. */
export const DEPLOYED = "wrangler.toml";
/** That of the build for tests, which has people of this machine, windows, faults and the routes of `Served.post`. */
export const FOR_TESTS = "contract/wrangler.toml";

/** The script that follows the firehose, as it is built for tests. */
export const FIREHOSE = "contract/firehose/wrangler.toml";

/** By what an operator is known to a Worker that is served with it as its variable of that name. */
export const OPERATOR_TOKEN = "0123456789abcdef0123456789abcdef";

/** The lines of a log that have this message, as objects of their fields. What is no JSON, a script has not written. */
export function said(logs, message) {
  const read = (line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  };
  return logs.flatMap(read).filter((line) => line?.message === message);
}

/** Serves the Worker of a configuration with these variables, and others beside it, until it is closed. */
export async function serve(configPath, vars, ...others) {
  const workers = [configPath, ...others].map((configPath) => ({ configPath, vars }));
  const server = createTestHarness({ root, workers });
  try {
    await server.listen();
    await server.getWorker().applyD1Migrations("DB");
  } catch (error) {
    await server.close();
    throw error;
  }
  return new Served(server);
}

class Served {
  #server;
  #worker;

  constructor(server) {
    this.#server = server;
    this.#worker = server.getWorker();
  }

  close() {
    return this.#server.close();
  }

  fetch(path, init) {
    return this.#server.fetch(path, init);
  }

  /** What the Worker has logged. */
  logs() {
    return this.#server.getLogs().map((entry) => entry.message ?? JSON.stringify(entry));
  }

  /** What it has logged with this message. */
  said(message) {
    return said(this.logs(), message);
  }

  /** Posts a command; `fault` says what is to go wrong with it. */
  async post(actor, command, fault) {
    if (fault) await this.fault(actor, fault);
    return this.#server.fetch(`/test/actor/${actor}`, { method: "POST", body: JSON.stringify(command) });
  }

  /** Says what is to go wrong with an actor. */
  async fault(actor, fault) {
    const answer = await this.#server.fetch(`/test/fault/${actor}`, { method: "POST", body: fault });
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Asks an actor, by kind and name of the command, and gives the answer. */
  async ask(actor, name, fields, fault) {
    const kind = CLASSES[actor.split("/")[0]].replace("DO", "");
    const response = await this.post(actor, { [kind]: { [name]: fields } }, fault);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text)[kind][name];
  }

  /** Rings as the platform does, by a schedule of the configuration: that of the sweep, unless it is another. */
  scheduled(cron = "*/10 * * * *") {
    return this.#worker.scheduled({ cron, scheduledTime: new Date() });
  }

  /** Asks an object, by no route of the Worker. */
  async object(binding, name, path, init) {
    const env = await this.#worker.getEnv();
    return env[binding].getByName(name).fetch(`https://object${path}`, init);
  }

  /** Has an actor set its alarm for whatever is due next. */
  async remind(actor) {
    const answer = await this.object(this.#class(actor), actor, "/");
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Has the next sweep look after an actor. */
  overdue(actor) {
    return this.index("UPDATE pending_actors SET due = 0 WHERE actor = ?", actor);
  }

  async queue(text) {
    const env = await this.#worker.getEnv();
    await env.JOBS.send(text);
  }

  /** Puts a message where the platform puts what it has brought often enough. */
  async abandon(text) {
    const env = await this.#worker.getEnv();
    await env.DEAD_JOBS.send(text);
  }

  /** Asks what is for operators alone. */
  operate(method, path, token = OPERATOR_TOKEN) {
    return this.#server.fetch(path, { method, headers: { authorization: `Bearer ${token}` } });
  }

  /** What was given up. */
  async jobs() {
    const listed = await this.operate("GET", "/internal/jobs");
    assert.equal(listed.status, 200);
    return (await listed.json()).jobs;
  }

  /** What the isolate has measured: gives the value of a series, which is 0 where nothing was measured. */
  async measured() {
    const answer = await this.operate("GET", "/internal/metrics");
    assert.equal(answer.status, 200);
    const lines = (await answer.text()).split("\n");
    return (series) => Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length) ?? 0);
  }

  /** The rows that a statement yields in the index. */
  async index(statement, ...bindings) {
    const env = await this.#worker.getEnv();
    return (await env.DB.prepare(statement).bind(...bindings).all()).results;
  }

  #class(actor) {
    return CLASSES[actor.split("/")[0]];
  }

  /** Ends the running object; what it has stored stays. */
  evict(actor) {
    return this.#worker.evictDurableObject(this.#class(actor), { name: actor });
  }

  /** The rows that a statement yields in the storage of an actor. */
  async rows(actor, statement, ...bindings) {
    const storage = await this.#worker.getDurableObjectStorage(this.#class(actor), { name: actor });
    return storage.exec(statement, ...bindings);
  }

  /** All that an actor has stored, by table; the runtime's own tables left out. */
  async tables(actor) {
    const names = await this.rows(
      actor,
      "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_' AND name <> 'sqlite_sequence'",
    );
    const tables = {};
    for (const { name } of names) tables[name] = await this.rows(actor, `SELECT * FROM "${name}"`);
    return tables;
  }
}

/** Asks again and again until the answer passes, and fails with what it last failed with. */
export async function eventually(check, patience = PATIENCE_MILLIS) {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
