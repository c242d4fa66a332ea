import { ConnectError } from "@connectrpc/connect";
import type { MemoryTable } from "../memory-table.ts";
import type { ConformanceTarget } from "../target.ts";
import { checkFinding } from "./answer-cases.ts";
import { answerOf, attempt, type ConformanceCase, demand, endsTyped, type Sample } from "./case.ts";

type Columns = MemoryTable["columns"];
type Column = Columns[string];

const ODD_NAMES = [
  "__proto__",
  "constructor",
  "",
  " ",
  'a"b',
  "a'b",
  "a.b",
  "naïve",
  "💳",
  "select",
  "x".repeat(300),
  "a\nb",
];

/** What becomes of every table of a sample. */
const CHANGES: [string, (table: MemoryTable) => MemoryTable][] = [
  ["no rows", eachColumn((column) => ({ ...column, values: [] }))],
  ["one row", eachColumn((column) => ({ ...column, values: column.values.slice(0, 1) }))],
  ["no columns", (table) => ({ ...table, columns: {} })],
  ["one column", (table) => ({ ...table, columns: Object.fromEntries(Object.entries(table.columns).slice(0, 1)) })],
  ["2,000 columns", wide],
  ["nothing but NULL", eachColumn((column) => ({ ...column, values: column.values.map(() => null) }))],
  [
    "the same value everywhere",
    eachColumn((column) => ({ ...column, values: column.values.map(() => column.values[0]) })),
  ],
  ["odd names of columns", oddNames],
  ["types that nobody knows", eachColumn((column) => ({ ...column, type: "GEOMETRY('EPSG:4326')" }))],
  [
    "texts in every column",
    eachColumn(({ values }) => ({ type: "VARCHAR", values: values.map((one) => `«${one}»\t`) })),
  ],
  [
    "texts of 10,000 characters",
    eachColumn(({ values }) => ({ type: "VARCHAR", values: values.slice(0, 20).map(() => "ab ".repeat(3333)) })),
  ],
  ["values that the profile withholds", eachColumn((column) => ({ ...column, withheld: "may be personal" }))],
  ["a contract of wrong types", (table) => ({ ...table, contract: oddContract() })],
  [
    "documents that are no SQL",
    (table) => ({ ...table, documents: { "a.sql": "SELECT ((((", "b.sql": "\u{1F4A3}", "c.yaml": ": [" } }),
  ],
];

/** Datasets that are rare and legal: the expert ends well with sound findings, or says in a typed refusal what is wrong. */
export function datasetCases(target: ConformanceTarget, sample: Sample): ConformanceCase[] {
  const { action, options } = sample;
  const tables = options?.tables;
  if (!tables || Object.keys(tables).length === 0) return [];
  return CHANGES.map(([what, change]) => ({
    name: `${action}: takes or refuses a dataset with ${what}`,
    async run() {
      const changed = Object.fromEntries(Object.entries(tables).map(([uri, table]) => [uri, change(table)]));
      const odd = { ...sample, options: { ...options, tables: changed } };
      const end = await endsTyped(() => attempt(target, odd));
      if (end instanceof ConnectError) return;
      for (const finding of end.findings) checkFinding(finding);
      demand(answerOf(await attempt(target, odd)) === answerOf(end), "two answers differ");
    },
  }));
}

function eachColumn(change: (column: Column) => Column): (table: MemoryTable) => MemoryTable {
  return (table) => ({
    ...table,
    columns: Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, change(column)])),
  });
}

function wide(table: MemoryTable): MemoryTable {
  const rows = Math.min(20, Object.values(table.columns)[0]?.values.length ?? 1);
  const more = Array.from({ length: 2000 }, (_, index): [string, Column] => [
    `extra_${index}`,
    { type: "INTEGER", values: Array.from({ length: rows }, (_, row) => (row * 7 + index) % 11) },
  ]);
  const own = eachColumn((column) => ({ ...column, values: column.values.slice(0, rows) }))(table);
  return { ...own, columns: { ...own.columns, ...Object.fromEntries(more) } };
}

function oddNames(table: MemoryTable): MemoryTable {
  const columns = Object.values(table.columns);
  const [first = { type: "INTEGER", values: [1] }] = columns;
  const renamed = ODD_NAMES.map((name, index): [string, Column] => [name, columns[index] ?? first]);
  return { ...table, columns: Object.fromEntries(renamed) };
}

function oddContract() {
  return {
    owner: [1, { a: null }],
    retention: "for ever",
    purpose: 7,
    columns: [null, "x"],
    storage: [],
    pipeline: "daily",
    consent: {},
    legal_basis: false,
  };
}
