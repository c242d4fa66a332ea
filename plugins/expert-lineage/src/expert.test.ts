import { readFileSync } from "node:fs";
import { conformanceCases, type MemoryTable, runAction } from "@odg/expert-plugin-api/testing";
import { describe, expect, test } from "vitest";
import expert from "./index.ts";
import type { DependencyMap } from "./output.ts";

const SQL = `-- joe@example.com asked for this
CREATE TABLE shop.sales AS
SELECT o.id, c.name AS customer
FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE c.mail <> 'joe@example.com';`;

function table(documents: Record<string, string> = {}): MemoryTable {
  return { columns: { id: { type: "BIGINT", values: [1, 2] } }, documents };
}

const tables = {
  "lake/sales.parquet": table({ "sales.sql": SQL, "views.sql": "CREATE VIEW weekly AS SELECT * FROM shop.sales;" }),
  "lake/orders.parquet": table(),
};

const run = (documents: Record<string, string>) =>
  runAction(
    expert,
    "map_dependencies",
    { dataset: "lake/sales.parquet" },
    {
      tables: { ...tables, "lake/sales.parquet": table(documents) },
    },
  );

describe("map_dependencies", () => {
  test("names every upstream dataset with the file and line that prove it", async () => {
    const { output, findings, contextWrites, summary } = await runAction(
      expert,
      "map_dependencies",
      { dataset: "lake/sales.parquet" },
      { tables },
    );
    const map = output as DependencyMap;
    expect(map.upstream.map(({ dataset, known }) => ({ dataset, known }))).toEqual([
      { dataset: "customers", known: false },
      { dataset: "orders", known: true },
    ]);
    expect(map.upstream[1]?.evidence[0]).toMatchObject({ file: "sales.sql", line: 4, statement: "create table" });
    expect(map.downstream.map(({ dataset }) => dataset)).toEqual(["weekly"]);
    expect(map.columns).toContainEqual({
      from: { table: "customers", column: "name" },
      to: { table: "shop.sales", column: "customer" },
      transform: "identity",
    });
    expect(findings.map(({ ruleId }) => ruleId)).toEqual([
      "lineage.upstream",
      "lineage.upstream_unknown",
      "lineage.upstream",
      "lineage.downstream",
    ]);
    expect(contextWrites["lineage.upstream"]).toEqual([
      { dataset: "customers", file: "sales.sql", line: 4 },
      { dataset: "orders", file: "sales.sql", line: 4 },
    ]);
    expect(summary).toBe("Depends on 2 upstream datasets: customers, orders");
  });

  test("shows neither literals nor comments of the SQL anywhere", async () => {
    const outcome = await runAction(expert, "map_dependencies", { dataset: "lake/sales.parquet" }, { tables });
    const said = JSON.stringify(outcome, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    expect(said).not.toContain("joe@");
    expect(said).toContain("c.mail <> '…'");
  });

  test("says what it looked for where there is no SQL", async () => {
    const { findings, summary } = await run({});
    expect(findings).toHaveLength(1);
    expect(findings[0]?.evidence[0]?.text).toContain(".sql");
    expect(summary).toBe("No SQL beside the data: upstream unknown");
  });

  test("names file and line of a statement that no dialect reads, and still reads the others", async () => {
    const { output, findings } = await run({
      "a.sql": "SELEC 'secret' FROM (\n;\nINSERT INTO sales SELECT id FROM orders;",
    });
    const fault = findings.find(({ ruleId }) => ruleId === "lineage.sql_unread");
    expect(fault?.evidence[0]).toMatchObject({ file: "a.sql" });
    expect(JSON.stringify(fault?.evidence.map(({ text }) => text))).not.toContain("secret");
    expect((output as DependencyMap).upstream.map(({ dataset }) => dataset)).toEqual(["orders"]);
  });

  test("names the file that is too large to read, and reads the others", async () => {
    const { output, findings } = await run({
      "a.sql": `-- ${"x".repeat(1_000_000)}`,
      "b.sql": "INSERT INTO sales SELECT * FROM orders",
    });
    expect(findings.find(({ ruleId }) => ruleId === "lineage.sql_too_large")?.subject?.name).toBe("a.sql");
    expect((output as DependencyMap).upstream).toHaveLength(1);
  });

  test("the version is the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(expert.version).toBe(version);
  });
});

describe("conformance", () => {
  const samples = [
    { action: "map_dependencies", input: { dataset: "lake/sales.parquet" }, options: { tables } },
    { action: "map_dependencies", input: { dataset: "lake/orders.parquet" }, options: { tables } },
  ];
  for (const one of conformanceCases(expert, samples)) test(one.name, one.run);
});
