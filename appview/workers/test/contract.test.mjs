// The adapters keep to the contracts of their ports, in this runtime as natively.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOR_TESTS, serve } from "./harness.mjs";

test("storage, index and transport keep to the contracts of their ports", async (t) => {
  const served = await serve(FOR_TESTS, {});
  try {
    for (const contract of ["sql", "index", "actors"]) {
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
