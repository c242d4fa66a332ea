import { type ActionOutcome, conformanceCases, type MemoryTable, runAction } from "@odg/expert-plugin-api/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import expert from "./index.ts";
import { SchemaReport } from "./output.ts";
import { sales } from "./testdata/sales.ts";

const options = { tables: sales() };
const input = { dataset: "lake/order_items.parquet" };

const samples = ["analyze_schema", "infer_types", "suggest_normalization"].map((action) => ({
  action,
  input,
  options,
}));
for (const one of conformanceCases(expert, samples)) test(one.name, one.run);

test("the expert's version is the package's", () => {
  expect(expert.version).toBe(manifest.version);
});

test("the headline names columns, rows, key and PII candidates", async () => {
  const { summary } = await runAction(expert, "analyze_schema", input, options);
  expect(summary).toBe("12 columns, 2,000 rows, key item_id, 1 PII candidate");
});

test("columns get their meaning", async () => {
  const report = SchemaReport.parse((await runAction(expert, "analyze_schema", input, options)).output);
  expect(Object.fromEntries(report.columns.map(({ name, semantic }) => [name, semantic]))).toEqual({
    item_id: "id",
    customer_id: "id",
    city: "category",
    country: "country",
    store_code: "code",
    quantity: "measure",
    price: "money",
    currency: "currency",
    ordered_at: "timestamp_without_zone",
    source: "category",
    legacy_note: "unknown",
    contact_email: "email",
  });
});

test("keys, references and dependencies are found with their support", async () => {
  const report = SchemaReport.parse((await runAction(expert, "analyze_schema", input, options)).output);
  expect(report.keys.map(({ columns, exact }) => ({ columns, exact }))).toEqual([
    { columns: ["item_id"], exact: true },
  ]);
  expect(report.foreign_keys).toMatchObject([
    { column: "customer_id", dataset: "customers", referenced_column: "customer_id" },
  ]);
  expect(report.dependencies.map((one) => [one.determinant, one.dependents, one.equivalents])).toEqual([
    ["customer_id", ["city"], ["contact_email"]],
    ["city", ["country"], []],
  ]);
  expect(report.normal_form).toBe("2NF");
});

test("a pair of columns is found where no single column is a key", async () => {
  const { summary } = await analyze({
    order_no: numbers(200, (row) => Math.floor(row / 4)),
    line: numbers(200, (row) => row % 4),
    quantity: numbers(200, (row) => row % 7),
  });
  expect(summary).toBe("3 columns, 200 rows, key order_no + line");
});

test("what is known of the schema is shared under the agreed keys", async () => {
  const { contextWrites } = await runAction(expert, "analyze_schema", input, options);
  expect(contextWrites["schema.row_count"]).toBe(2000);
  expect(contextWrites["schema.keys"]).toEqual([{ columns: ["item_id"], exact: true }]);
  expect(Object.keys((contextWrites["schema.columns"] as object[])[0] ?? {}).sort()).toEqual(
    ["distinct_count", "name", "nullable", "semantic", "type"].sort(),
  );
});

test("rules fire on the columns that break them", async () => {
  const { findings } = await runAction(expert, "analyze_schema", input, options);
  const fired = findings.map(({ ruleId, subject }) =>
    `${ruleId} ${subject?.name.replace(/^order_items\.?/, "")}`.trim(),
  );
  for (const rule of [
    "schema.validated",
    "schema.declared_key_holds",
    "schema.foreign_key customer_id",
    "schema.typed_text quantity",
    "schema.code_not_number store_code",
    "schema.float_money price",
    "schema.timestamp_without_zone ordered_at",
    "schema.constant_column source",
    "schema.empty_column legacy_note",
  ]) {
    expect(fired).toContain(rule);
  }
  expect(fired).not.toContain("schema.typed_text ordered_at");
});

test("text columns are given their types, with the SQL to read them", async () => {
  const { output, summary } = await runAction(expert, "infer_types", input, options);
  expect(summary).toBe("1 of 12 columns have another type than stored");
  expect((output as { changed: string[] }).changed).toEqual(["quantity"]);
  expect(JSON.stringify(output)).toContain(`TRY_CAST(nullif(trim(\\"quantity\\"), '') AS BIGINT)`);
});

test("a table is split along its dependencies, and no column is lost", async () => {
  const { output, summary } = await runAction(expert, "suggest_normalization", input, options);
  const { tables } = output as { tables: { name: string; key: string[]; columns: string[] }[] };
  expect(summary).toBe("3 tables instead of one: customer, city_values, order_items");
  expect(tables.slice(0, 2)).toMatchObject([
    { key: ["customer_id"], columns: ["customer_id", "city", "contact_email"] },
    { key: ["city"], columns: ["city", "country"] },
  ]);
  expect(new Set(tables.flatMap(({ columns }) => columns)).size).toBe(12);
});

test("of two tables with the same unique column, the one that it is named after is no reference", async () => {
  const orders = { columns: { order_id: numbers(50, (row) => row) } };
  const shipments = { columns: { shipment_id: numbers(50, (row) => row), order_id: numbers(50, (row) => row) } };
  const tables = { "orders.csv": orders, "shipments.csv": shipments };
  const references = async (dataset: string) =>
    SchemaReport.parse((await runAction(expert, "analyze_schema", { dataset }, { tables })).output).foreign_keys.length;
  expect(await references("orders.csv")).toBe(0);
  expect(await references("shipments.csv")).toBe(1);
});

test("a declared key that repeats values is an error that names the contract", async () => {
  const table: MemoryTable = {
    columns: { id: numbers(100, (row) => row % 90) },
    contract: { primary_key: "id" },
  };
  const { findings } = await runAction(expert, "analyze_schema", { dataset: "t.csv" }, { tables: { "t.csv": table } });
  const broken = findings.find(({ ruleId }) => ruleId === "schema.declared_key_broken");
  expect(broken?.evidence[0]).toMatchObject({ text: "10 rows repeat a value of id", file: "contract.yaml" });
});

test("a value late in the file revokes the type that the sample suggested", async () => {
  const values = Array.from({ length: 5_000 }, (_, row) => (row === 4_001 ? "A12" : String(10_000 + row)));
  const { output } = await analyze({ mark: { type: "VARCHAR", values } }, { sample_rows: 100 });
  expect(SchemaReport.parse(output).typed_texts).toEqual([]);
});

test("no text of a withheld column appears anywhere in the answer", async () => {
  const outcome = await runAction(expert, "analyze_schema", input, options);
  expect(shown(outcome)).not.toContain("@example.com");
});

test.each([
  ["no column", {}],
  ["no row", { id: { type: "BIGINT", values: [] } }],
  ["only NULLs", { a: { type: "VARCHAR", values: [null, null, null] } }],
  [
    "nested and odd names",
    { "a.b[].c d": { type: "VARCHAR", values: ["x"] }, "": { type: "STRUCT(a INTEGER)", values: [{ a: 1 }] } },
  ],
  [
    "names of Object.prototype",
    { constructor: { type: "BIGINT", values: [1, 2] }, toString: { type: "VARCHAR", values: ["a", "b"] } },
  ],
])("a table with %s is described, not refused", async (_, columns) => {
  const { output } = await analyze(columns as MemoryTable["columns"]);
  expect(SchemaReport.parse(output).columns).toHaveLength(Object.keys(columns).length);
});

test("2,000 columns end in a readable number of findings", async () => {
  const columns = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [`flag_${index}`, { type: "VARCHAR", values: Array(40).fill("x") }]),
  );
  const { findings } = await analyze(columns);
  expect(findings.length).toBeLessThan(20);
});

function numbers(rows: number, value: (row: number) => number) {
  return { type: "BIGINT", values: Array.from({ length: rows }, (_, row) => value(row)) };
}

function analyze(columns: MemoryTable["columns"], knobs = {}): Promise<ActionOutcome> {
  return runAction(expert, "analyze_schema", { dataset: "t.csv", ...knobs }, { tables: { "t.csv": { columns } } });
}

function shown(outcome: ActionOutcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}
