// The script that follows the firehose, before a network that is made up. It is run without wrangler in between, by which
// nobody can open a WebSocket.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { migrate } from "./database.mjs";
import { OPERATOR_TOKEN, said } from "./harness.mjs";
import { Network } from "./network.mjs";
import { scripts } from "./scripts.mjs";

const EVERY_MINUTE = "* * * * *";
const CHECK_DRIFT = "15 * * * *";
const SCRIPT = "huddle-firehose-contract";

export class Following {
  #runtime;
  #database;
  #logs = [];
  network;

  /**
   * Has it follow a network, from the first event on and once `begin` is called, for as long as some work takes. `entry`
   * is the text of a module that stands before the script's.
   */
  static async through(world, work, entry) {
    const following = new Following();
    following.network = await Network.start();
    try {
      const { url: PLC, firehose: FIREHOSE } = following.network;
      await following.#start({ ...world.vars, PLC, FIREHOSE, OPERATOR_TOKEN }, entry);
      return await work(following);
    } finally {
      await following.#runtime?.dispose();
      following.network.close();
    }
  }

  async #start(vars, entry) {
    const workers = scripts(vars);
    const { modules } = workers.find(({ name }) => name === SCRIPT);
    if (entry) modules.unshift({ type: "ESModule", path: "entry.js", contents: entry });
    const handleStructuredLogs = ({ message }) => this.#logs.push(message);
    const options = { host: "127.0.0.1", cf: false, workers, handleStructuredLogs };
    this.#runtime = new Miniflare(convertV4MiniflareOptions(options));
    await this.#runtime.ready;
    this.#database = await this.#runtime.getD1Database("DB");
    await migrate(this.#database);
    await this.index("INSERT INTO cursors (host, seq) VALUES (?, 0)", this.network.firehose);
  }

  begin() {
    return this.#ring(EVERY_MINUTE);
  }

  /** Has it compare some of what is held with what was published. */
  compare() {
    return this.#ring(CHECK_DRIFT);
  }

  async #ring(cron) {
    const worker = await this.#runtime.getWorker(SCRIPT);
    await worker.scheduled({ cron });
  }

  /** Asks the script for a page, as whoever has this token. */
  async fetch(path, token) {
    const worker = await this.#runtime.getWorker(SCRIPT);
    return worker.fetch(`https://firehose${path}`, { headers: { authorization: `Bearer ${token}` } });
  }

  /** The rows that a statement yields in the index. */
  async index(statement, ...bindings) {
    return (await this.#database.prepare(statement).bind(...bindings).all()).results;
  }

  /** How far the object is, by its own word. */
  async progress() {
    const objects = await this.#runtime.getDurableObjectNamespace("FirehoseDO", SCRIPT);
    const answer = await objects.getByName(this.network.firehose).fetch("https://firehose/");
    return answer.json();
  }

  /** What was logged. */
  logs() {
    return this.#logs;
  }

  /** What was logged with this message. */
  said(message) {
    return said(this.#logs, message);
  }
}
