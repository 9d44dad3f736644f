// The adapters keep to the contracts of their ports, in this runtime as natively.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { AskedServer, Resolver } from "./asked.mjs";
import { FOR_TESTS, serve } from "./harness.mjs";
import { SECRETS } from "./people.mjs";
import { scripts } from "./scripts.mjs";

const DAY = 86_400_000;

/** The beginning of a day of UTC, so many days after this one. */
const midnight = (days) => (Math.floor(Date.now() / DAY) + days) * DAY;

/** Objects drive bookings on by themselves, so it is here that the contract's host has time. */
const HOST = { host: "did:web:host.workerd.example", windows: [[midnight(1), midnight(2)]] };

test("the adapters keep to the contracts of their ports", async (t) => {
  const served = await serve(FOR_TESTS, { ...SECRETS, WINDOWS: JSON.stringify([HOST]) });
  try {
    for (const contract of ["sql", "index", "cache", "clock", "random", "actors"]) {
      await t.test(contract, async () => {
        const answer = await served.object("ContractDO", "contract", `/${contract}`);
        assert.deepEqual([answer.status, await answer.text()], [200, "kept"]);
      });
    }
    const unknown = await served.object("ContractDO", "contract", "/none");
    assert.equal(unknown.status, 500, "a contract that is broken is heard of");
  } finally {
    await served.close();
  }
});

test("the adapters that ask others keep to theirs", async (t) => {
  let objects;
  const ask = (name, path, init) => objects.getByName(name).fetch(`https://object${path}`, init);
  // What names have, the object knows: so it is the same for all runtimes.
  const resolver = await Resolver.start(async (question) => {
    const answer = await ask("zone", "/zone", { method: "POST", body: question });
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
  });
  const server = await AskedServer.start();
  // Without wrangler, which has requests to others made by Node.js: that follows redirects, and mends what is broken.
  const [worker] = scripts({ ...SECRETS, DNS: resolver.url });
  const runtime = new Miniflare(convertV4MiniflareOptions({ host: "127.0.0.1", cf: false, workers: [worker] }));
  try {
    objects = await runtime.getDurableObjectNamespace("ContractDO", worker.name);
    for (const contract of ["dns", "fetch"]) {
      await t.test(contract, async () => {
        const answer = await ask("contract", `/${contract}?${new URLSearchParams({ server: server.url })}`);
        assert.deepEqual([answer.status, await answer.text()], [200, "kept"]);
      });
    }
  } finally {
    await runtime.dispose();
    server.close();
    resolver.close();
  }
});
