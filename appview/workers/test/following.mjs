// The script that follows the firehose, before a network that is made up. It is run without wrangler in between, by which
// nobody can open a WebSocket.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { migrate } from "./database.mjs";
import { Network } from "./network.mjs";
import { scripts } from "./scripts.mjs";

const EVERY_MINUTE = "* * * * *";

export class Following {
  #runtime;
  #database;
  #logs = [];
  network;

  /** Has it follow a network, from the first event on and once `begin` is called, for as long as some work takes. */
  static async through(world, work) {
    const following = new Following();
    following.network = await Network.start();
    try {
      await following.#start({ ...world.vars, PLC: following.network.url, FIREHOSE: following.network.firehose });
      return await work(following);
    } finally {
      await following.#runtime?.dispose();
      following.network.close();
    }
  }

  async #start(vars) {
    const handleStructuredLogs = ({ message }) => this.#logs.push(message);
    const options = { host: "127.0.0.1", cf: false, workers: scripts(vars), handleStructuredLogs };
    this.#runtime = new Miniflare(convertV4MiniflareOptions(options));
    await this.#runtime.ready;
    this.#database = await this.#runtime.getD1Database("DB");
    await migrate(this.#database);
    await this.index("INSERT INTO cursors (host, seq) VALUES (?, 0)", this.network.firehose);
  }

  async begin() {
    const worker = await this.#runtime.getWorker("huddle-firehose-contract");
    await worker.scheduled({ cron: EVERY_MINUTE });
  }

  /** The rows that a statement yields in the index. */
  async index(statement, ...bindings) {
    return (await this.#database.prepare(statement).bind(...bindings).all()).results;
  }

  /** How far the object is, by its own word. */
  async progress() {
    const objects = await this.#runtime.getDurableObjectNamespace("FirehoseDO", "huddle-firehose-contract");
    const answer = await objects.getByName(this.network.firehose).fetch("https://firehose/");
    return answer.json();
  }

  /** What was logged. */
  logs() {
    return this.#logs;
  }
}
