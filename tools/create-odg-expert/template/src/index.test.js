import assert from "node:assert/strict";
import { test } from "node:test";
import { runAction } from "@odg/expert-plugin-api/testing";
import expert from "./index.js";

const people = {
  columns: { id: { type: "BIGINT", values: [1, 2] }, city: { type: "VARCHAR", values: ["Porto", null] } },
};

test("missing values are counted by column", async () => {
  const { output, findings } = await runAction(
    expert,
    "count_missing",
    { dataset: "mem://people.parquet" },
    { tables: { "mem://people.parquet": people } },
  );
  assert.deepEqual(output, { rows: 2, missing: { id: 0, city: 1 } });
  assert.equal(findings[0]?.evidence[0]?.text, "1 of 2 rows");
});
