import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { polyglotParser } from "./polyglot-parser.ts";
import { type Statement, shortName, tableKey } from "./statement.ts";
import { readLineage } from "./worker.ts";

// The statements of sqllineage's own tests with the edges that they must yield. No dialect is told.
const CASES = new URL("../../../../shared/corpus/lineage/sqllineage-cases.json", import.meta.url);
const hasCases = existsSync(CASES);
if (!hasCases) process.stderr.write("skipped: accuracy on sqllineage's cases (no ../shared/corpus)\n");

type TableCase = { kind: "table"; sql: string; sources: string[] | null; targets: string[] | null };
type ColumnCase = {
  kind: "column";
  sql: string;
  metadata?: Record<string, string[]>;
  hasMetadata: boolean;
  lineage: [[string, string | null], [string, string]][];
};

const cases = hasCases ? (JSON.parse(readFileSync(CASES, "utf8")) as (TableCase | ColumnCase)[]) : [];

/** Scores sets of facts: micro-averaged F1 and the share of cases that are exactly right. */
function score(pairs: { got: Set<string>; want: Set<string> }[]): { f1: number; exact: number } {
  let [hits, extra, missed, exact] = [0, 0, 0, 0];
  for (const { got, want } of pairs) {
    const common = [...got].filter((fact) => want.has(fact)).length;
    hits += common;
    extra += got.size - common;
    missed += want.size - common;
    if (common === got.size && common === want.size) exact += 1;
  }
  return { f1: (2 * hits) / (2 * hits + extra + missed), exact: exact / pairs.length };
}

/** The ends of a script as sqllineage counts them: a table that is written and read on is neither source nor target. */
function ends(statements: Statement[]): Set<string> {
  const edges: { from: string; to?: string }[] = [];
  const targets = new Set<string>();
  for (const { target, sources, renamedFrom } of statements) {
    if (target) targets.add(tableKey(target.name));
    if (renamedFrom) targets.delete(tableKey(renamedFrom));
    for (const { name } of sources)
      edges.push({ from: tableKey(name), ...(target ? { to: tableKey(target.name) } : {}) });
  }
  const isBetween = (table: string) =>
    targets.has(table) &&
    edges.some(({ from }) => from === table) &&
    !edges.some(({ from, to }) => from === table && to === table);
  return new Set([
    ...edges.filter(({ from }) => !isBetween(from)).map(({ from }) => `source ${from}`),
    ...[...targets].filter((table) => !isBetween(table)).map((table) => `target ${table}`),
  ]);
}

const plain = (text: string | null) => (text ?? "?").toLowerCase().replace(/\s+/g, "");

function columnFacts(one: ColumnCase): { got: Set<string>; want: Set<string> } {
  const { statements } = polyglotParser.parse(one.sql, one.hasMetadata ? { tables: one.metadata ?? {} } : {});
  const fact = (from: [string, string | null], to: [string, string | null]) => [...from, ...to].map(plain).join(" ");
  return {
    got: new Set(
      statements.flatMap(({ columns }) =>
        columns.map(({ from, to }) => fact([from.column, from.table], [to.column, to.table])),
      ),
    ),
    want: new Set(one.lineage.map(([from, to]) => fact(from, to))),
  };
}

describe.skipIf(!hasCases)("accuracy on the cases of sqllineage", { timeout: 120_000 }, () => {
  test("table edges: F1 at least 0.97, exact in at least 96 of 100 scripts", () => {
    const measured = score(
      cases
        .filter((one) => one.kind === "table")
        .map(({ sql, sources, targets }) => ({
          got: ends(polyglotParser.parse(sql).statements),
          want: new Set([
            ...(sources ?? []).map((name) => `source ${tableKey(name)}`),
            ...(targets ?? []).map((name) => `target ${tableKey(name)}`),
          ]),
        })),
    );
    expect(measured.f1).toBeGreaterThanOrEqual(0.97);
    expect(measured.exact).toBeGreaterThanOrEqual(0.96);
  });

  test("column edges: F1 at least 0.90, exact in at least 85 of 100 scripts", () => {
    const measured = score(cases.filter((one) => one.kind === "column").map(columnFacts));
    expect(measured.f1).toBeGreaterThanOrEqual(0.9);
    expect(measured.exact).toBeGreaterThanOrEqual(0.85);
  });
});

type Model = {
  name: string;
  resource_type: string;
  raw_code?: string;
  raw_sql?: string;
  refs: unknown[];
  sources: string[][];
};

/** The last part of what a manifest's node refers to: `["model"]`, `["package", "model"]` or `{ name: "model" }`. */
function referredTo({ refs, sources }: Model): Set<string> {
  const names = [...refs, ...sources].map((one) => (Array.isArray(one) ? one.at(-1) : (one as { name: string }).name));
  return new Set(names.map((name) => String(name).toLowerCase()));
}

describe.skipIf(!hasCases)("accuracy on the models of dbt manifests", { timeout: 120_000 }, () => {
  test.each(["build", "duckdb", "env_vars", "jaffle_shop", "postgres", "small"])(
    "%s: every model exactly",
    (project) => {
      const file = new URL(`dbt/${project}/manifest.json`, CASES);
      const { nodes } = JSON.parse(readFileSync(file, "utf8")) as { nodes: Record<string, Model> };
      for (const model of Object.values(nodes).filter((one) => one.resource_type === "model")) {
        const files = [{ name: `${model.name}.sql`, text: model.raw_code ?? model.raw_sql ?? "" }];
        const { upstream } = readLineage({ dataset: model.name, files, dialect: "", tables: {} }, polyglotParser);
        expect(new Set(upstream.map(({ table }) => shortName(table)))).toEqual(referredTo(model));
      }
    },
  );
});
