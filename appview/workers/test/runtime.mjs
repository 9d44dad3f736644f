// The AppView's script and the firehose's, as they are built for tests, in the runtime that Cloudflare runs, until
// standard input ends. What their objects and their database keep is in a folder, and outlives this.
//
//   node runtime.mjs SETTINGS
//
// SETTINGS is JSON: `folder`, the `port` to listen at, and the variables and secrets of both, `vars`. Prints one line of
// JSON: where to POST what is to be done; the last part of the path is the deed.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { migrate } from "./database.mjs";
import { scripts } from "./scripts.mjs";

const { folder, port, vars } = JSON.parse(process.argv[2]);
const state = join(folder, "state");
const isNew = !existsSync(state);

/** An entry before that of the firehose's script, by which its object can be ended as the platform ends one. */
const ENDED = `
  export { default } from "./shim.js";
  import * as script from "./shim.js";
  export class FirehoseDO extends script.FirehoseDO {
    fetch(request) {
      if (new URL(request.url).pathname === "/end") this.ctx.abort("it is ended");
      return super.fetch(request);
    }
  }
`;

const [appview, firehose] = scripts(vars);
firehose.modules.unshift({ type: "ESModule", path: "ended.js", contents: ENDED });
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    workers: [appview, firehose],
    resourcePersistencePath: state,
    handleStructuredLogs: ({ message }) => console.error(message),
  }),
);
await runtime.ready;
if (isNew) await migrate(await runtime.getD1Database("DB", appview.name));

/** The platform keeps schedules; a runtime alone does not. */
async function look() {
  const worker = await runtime.getWorker(firehose.name);
  await worker.scheduled({ cron: "* * * * *" });
}
await look();
const minutes = setInterval(() => look().catch(console.error), 60_000);

const deeds = {
  /** Ends the object that follows the firehose, with all that it waits for and listens to. */
  async end() {
    const objects = await runtime.getDurableObjectNamespace("FirehoseDO", firehose.name);
    const ended = await objects.getByName(vars.FIREHOSE).fetch("https://firehose/end").catch(String);
    if (!ended.includes("it is ended")) throw new Error(ended);
  },
};
const control = createServer(async (request, response) => {
  try {
    await deeds[request.url.slice(1)]();
    response.end();
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}).listen(0, "127.0.0.1");
await once(control, "listening");
console.log(JSON.stringify({ control: `http://127.0.0.1:${control.address().port}` }));

process.stdin.resume();
await once(process.stdin, "end");
clearInterval(minutes);
control.close();
await runtime.dispose();
