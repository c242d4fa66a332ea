import { existsSync, readFileSync } from "node:fs";
import { conformanceCases, type MemoryTable, runAction } from "@odg/expert-plugin-api/testing";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import expert from "./index.ts";
import { className, Suite } from "./suite.ts";
import { bookings } from "./testdata/bookings.ts";

const schemas = new URL("../../../../shared/corpus/quality/expectation-schemas/", import.meta.url);
const options = { tables: { "lake/bookings.parquet": bookings(1_500) } };
const input = { dataset: "lake/bookings.parquet" };
const tiny = {
  name: "tiny",
  expectations: [{ type: "expect_column_values_to_not_be_null", kwargs: { column: "city" }, meta: {} }],
  meta: {},
};

const samples = [
  { action: "define_expectations", input, options },
  { action: "check_expectations", input: { ...input, suite: tiny }, options },
  { action: "detect_anomalies", input, options },
];
for (const one of conformanceCases(expert, samples)) test(one.name, one.run);

test("the expert's version is the package's", () => {
  expect(expert.version).toBe(manifest.version);
});

async function define(tables: Record<string, MemoryTable>, context = {}) {
  const dataset = Object.keys(tables)[0] ?? "";
  const outcome = await runAction(expert, "define_expectations", { dataset }, { tables, context });
  return { ...outcome, suite: Suite.parse((outcome.output as { suite: unknown }).suite) };
}

test.skipIf(!existsSync(schemas))("every proposed expectation is valid by the public schema of its type", async () => {
  const { suite } = await define(options.tables, {
    "schema.keys": [{ columns: ["guest_id", "arrives"], exact: true }],
  });
  // Steps of hundredths are not exact in binary: 0.69 / 0.01 is no whole number.
  const ajv = new Ajv({ strict: false, validateFormats: false, multipleOfPrecision: 6 });
  const types = new Set(suite.expectations.map(({ type }) => type));
  expect(types.size).toBeGreaterThan(10);
  for (const { type, kwargs, meta } of suite.expectations) {
    const schema = JSON.parse(readFileSync(new URL(`${className(type)}.json`, schemas), "utf8")) as object;
    const validate = ajv.compile(schema);
    expect(validate({ ...kwargs, meta }), `${type}: ${JSON.stringify(validate.errors)}`).toBe(true);
  }
});

test("every proposed expectation says why", async () => {
  const { suite } = await define(options.tables);
  for (const { type, meta } of suite.expectations) expect(meta.reason, type).toMatch(/\.$/);
});

test("the suite and what sums it up are shared", async () => {
  const { suite, contextWrites, summary, findings } = await define(options.tables);
  expect(contextWrites["quality.suite"]).toEqual(suite);
  expect(summary).toMatch(new RegExp(`^${suite.expectations.length} expectations proposed, \\d+ anomalies$`));
  expect(findings.at(-1)?.ruleId).toBe("quality.expectations_proposed");
});

test("a withheld column gets no expectation that names a value", async () => {
  const { suite } = await define(options.tables);
  const types = suite.expectations.filter(({ kwargs }) => kwargs.column === "contact").map(({ type }) => type);
  expect(types.sort()).toEqual([
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_not_be_null",
  ]);
  expect(JSON.stringify(suite)).not.toMatch(/guest\d+@|example\.net/);
});

test("what holds by design is found: order of dates, keys, categories", async () => {
  const { suite } = await define(options.tables);
  const proposed = suite.expectations.map(
    ({ type, kwargs }) => `${type} ${kwargs.column ?? `${kwargs.column_A} ${kwargs.column_B}`}`,
  );
  expect(proposed).toContain("expect_column_pair_values_a_to_be_greater_than_b departs arrives");
  expect(proposed).toContain("expect_column_values_to_be_unique booking_id");
  expect(proposed).toContain("expect_column_values_to_be_in_set city");
  expect(proposed).not.toContain("expect_column_values_to_be_in_set remark");
});

test("the shared suite is checked where the input names none", async () => {
  const context = { "quality.suite": tiny };
  const { summary, output } = await runAction(expert, "check_expectations", input, { ...options, context });
  expect(summary).toBe("1 of 1 expectations hold");
  expect(output).toMatchObject({ suite: "tiny", success: true });
});

test("without any suite the check says that nothing was checked", async () => {
  const { findings, output } = await runAction(expert, "check_expectations", input, options);
  expect(findings[0]?.ruleId).toBe("quality.no_suite");
  expect(output).toMatchObject({ success: false });
});

test("an expectation that fails is an error with counts and no values", async () => {
  const suite = {
    ...tiny,
    expectations: [{ type: "expect_column_values_to_be_in_set", kwargs: { column: "city", value_set: ["Lisbon"] } }],
  };
  const { findings } = await runAction(expert, "check_expectations", { ...input, suite }, options);
  expect(findings[0]).toMatchObject({ ruleId: "quality.expectation_failed", subject: { name: "bookings.city" } });
  expect(findings[0]?.evidence[0]?.text).toMatch(/^[\d,]+ of 1,500 values unexpected/);
});

test("anomalies are reported with their numbers", async () => {
  const dirty: MemoryTable = {
    columns: {
      note: {
        type: "VARCHAR",
        values: Array.from({ length: 200 }, (_, row) =>
          row % 10 === 0 ? " " : row % 4 === 0 ? "N/A" : ` text ${row}`,
        ),
      },
      amount: { type: "DOUBLE", values: Array.from({ length: 200 }, (_, row) => (row === 7 ? 1e9 : 10 + (row % 17))) },
      flag: { type: "VARCHAR", values: Array.from({ length: 200 }, (_, row) => (row === 0 ? "yes" : "no")) },
      half: { type: "BIGINT", values: Array.from({ length: 200 }, (_, row) => (row % 2 ? null : row)) },
      same: { type: "BIGINT", values: Array(200).fill(1) },
    },
  };
  const { findings } = await runAction(
    expert,
    "detect_anomalies",
    { dataset: "d.csv" },
    { tables: { "d.csv": dirty } },
  );
  expect(findings.map(({ ruleId, subject }) => `${ruleId} ${subject?.name}`)).toEqual([
    "quality.blank_texts d.note",
    "quality.null_words d.note",
    "quality.padded_texts d.note",
    "quality.outliers d.amount",
    "quality.top_heavy d.flag",
    "quality.high_null_share d.half",
    "quality.constant d.same",
  ]);
});

test.each([
  ["no column", {}],
  ["no row", { id: { type: "BIGINT", values: [] } }],
  ["only NULLs", { a: { type: "VARCHAR", values: [null, null] }, b: { type: "DOUBLE", values: [null, null] } }],
  [
    "nested and odd names",
    { "a.b[].c d": { type: "VARCHAR", values: ["x"] }, "1": { type: "STRUCT(a INTEGER)", values: [{ a: 1 }] } },
  ],
  ["infinite numbers", { x: { type: "DOUBLE", values: ["Infinity", "-Infinity", "NaN", 1] } }],
  [
    "names of Object.prototype",
    { constructor: { type: "BIGINT", values: [1, 2] }, toString: { type: "VARCHAR", values: ["a", "b"] } },
  ],
])("a table with %s is described, not refused", async (_, columns) => {
  const { output } = await define({ "t.csv": { columns: columns as MemoryTable["columns"] } });
  expect(output).toMatchObject({ dropped: 0 });
});

test("2,000 columns end in a readable number of findings", async () => {
  const columns = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, index) => [
      `c${index}`,
      { type: "VARCHAR", values: Array.from({ length: 40 }, (_, row) => (row % 2 ? null : " ")) },
    ]),
  );
  const { findings } = await define({ "t.csv": { columns } });
  expect(findings.length).toBeLessThan(20);
});
