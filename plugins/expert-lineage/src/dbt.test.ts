import { describe, expect, test } from "vitest";
import { readDbtModel } from "./dbt.ts";
import { polyglotParser } from "./polyglot-parser.ts";
import { readLineage } from "./worker.ts";

const lineage = (name: string, text: string) =>
  readLineage(
    { dataset: name, files: [{ name: `models/${name}.sql`, text }], dialect: "", tables: {} },
    polyglotParser,
  );

describe("a dbt model", () => {
  test("is made of what it refers to, at the lines that say so", () => {
    const { upstream, lines } = lineage(
      "orders",
      `{{ config(materialized='table') }}
{# asked for by Ann #}
with paid as (
  select * from {{ ref('shop', 'stg_payments') }} where method = 'Ann'
)
select o.id, p.amount from {{ source('raw', 'orders') }} as o join paid as p on p.id = o.id;
`,
    );
    expect(upstream).toEqual([
      { table: "raw.orders", places: [{ file: "models/orders.sql", line: 6, statement: "dbt model", via: [] }] },
      { table: "stg_payments", places: [{ file: "models/orders.sql", line: 4, statement: "dbt model", via: [] }] },
    ]);
    expect(lines["models/orders.sql:4"]).toBe(`select * from "stg_payments"  where method = '…'`);
  });

  test("keeps its columns, but for names that a template makes", () => {
    const { columns } = lineage(
      "sums",
      `select id, {% for m in ms %} sum({{ m }}_amount) as {{ m }}_total, {% endfor %} n as count from {{ ref('stg') }}`,
    );
    expect(columns.map(({ to }) => to.column)).toEqual(["id", "count"]);
  });

  test("may read itself when incremental, and does not depend on itself", () => {
    const { upstream } = lineage(
      "log",
      "select * from {{ ref('raw_log') }} {% if is_incremental() %} where at > (select max(at) from {{ this }}) {% endif %}",
    );
    expect(upstream.map(({ table }) => table)).toEqual(["raw_log"]);
  });

  test("plain SQL is none", () => {
    expect(readDbtModel("a.sql", "SELECT '{{ x }}' FROM t")).toBeUndefined();
  });
});
