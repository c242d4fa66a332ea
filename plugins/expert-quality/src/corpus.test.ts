import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EVALUATED, evaluate } from "./evaluate.ts";

const folder = new URL("../../../../shared/corpus/quality/column_map_expectations/", import.meta.url);

interface Case {
  title: string;
  in: Record<string, unknown>;
  out?: { success?: boolean; unexpected_list?: unknown[]; unexpected_index_list?: Record<string, unknown>[] };
  error?: unknown;
  only_for?: (string | Record<string, string>)[];
  suppress_test_for?: (string | Record<string, string>)[];
}

interface Definition {
  expectation_type: string;
  datasets: { data: Record<string, unknown[]>; schemas?: Record<string, Record<string, string>>; tests: Case[] }[];
}

/** Row conditions are a query language of pandas, parameters are bound by the caller's run: neither is this evaluator's. */
const beyond = (kwargs: Record<string, unknown>) =>
  "row_condition" in kwargs || JSON.stringify(kwargs).includes("$PARAMETER");

/** Types of the pandas columns that JSON cannot hold, by DuckDB's names. */
const TIMES: Record<string, string> = {
  "datetime64[ns]": "TIMESTAMP",
  timestamp: "TIMESTAMP WITH TIME ZONE",
  datetime: "TIMESTAMP",
};

interface Tally {
  agreed: number;
  disagreed: string[];
}

function run(definition: Definition, tally: Tally): void {
  for (const { data, schemas, tests } of definition.datasets) {
    const types = Object.fromEntries(
      Object.entries(schemas?.pandas ?? {}).flatMap(([name, type]) => (TIMES[type] ? [[name, TIMES[type]]] : [])),
    );
    const rowCount = Object.values(data)[0]?.length ?? 0;
    for (const one of tests) {
      if (!isForPandas(one) || beyond(one.in)) continue;
      if (one.out?.success === undefined) continue;
      const outcome = evaluate(
        { type: definition.expectation_type, kwargs: one.in as never, meta: {} },
        { columns: data, types, rowCount },
      );
      if (outcome.success === one.out.success && sameRows(outcome.unexpected, one)) tally.agreed += 1;
      else tally.disagreed.push(`${definition.expectation_type}: ${one.title}`);
    }
  }
}

function sameRows(unexpected: number[], { out }: Case): boolean {
  const expected = out?.unexpected_index_list?.map(({ pk_index }) => pk_index);
  return !expected || expected.some((row) => typeof row !== "number") || String(expected) === String(unexpected);
}

function isForPandas({ only_for, suppress_test_for }: Case): boolean {
  const names = (list?: Case["only_for"]) =>
    list?.map((one) => (typeof one === "string" ? one : (Object.keys(one)[0] ?? "")));
  const only = names(only_for);
  if (only && !only.some((name) => name.startsWith("pandas"))) return false;
  return !names(suppress_test_for)?.some((name) => name.startsWith("pandas"));
}

test.skipIf(!existsSync(folder))("the evaluator agrees with Great Expectations' own cases in at least 97 %", () => {
  const tally: Tally = { agreed: 0, disagreed: [] };
  for (const name of readdirSync(folder).sort()) {
    const definition = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Definition;
    if (EVALUATED.has(definition.expectation_type)) run(definition, tally);
  }
  const total = tally.agreed + tally.disagreed.length;
  expect(total).toBeGreaterThan(100);
  expect(tally.agreed / total, `of ${total}, ${tally.disagreed.join("\n")}`).toBeGreaterThanOrEqual(0.97);
});
