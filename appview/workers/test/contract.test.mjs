// The adapters keep to the contracts of their ports, in this runtime as natively.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOR_TESTS, serve } from "./harness.mjs";
import { SECRETS } from "./people.mjs";

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
