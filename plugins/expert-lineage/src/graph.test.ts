import { describe, expect, test } from "vitest";
import { dependenciesOf } from "./graph.ts";
import { polyglotParser } from "./polyglot-parser.ts";

const map = (dataset: string, files: Record<string, string>) =>
  dependenciesOf(
    dataset,
    Object.entries(files).map(([name, sql]) => ({ name, statements: polyglotParser.parse(sql).statements })),
  );

const tables = (dependencies: { table: string }[]) => dependencies.map(({ table }) => table);

describe("dependenciesOf", () => {
  test("finds what a dataset is made of and what is made of it", () => {
    const found = map("sales", {
      "a.sql": "CREATE TABLE shop.sales AS SELECT * FROM raw.orders;",
      "b.sql": "INSERT INTO weekly SELECT * FROM Shop.Sales;\nSELECT count(*) FROM shop.sales;",
    });
    expect(tables(found.upstream)).toEqual(["raw.orders"]);
    expect(tables(found.downstream)).toEqual(["weekly"]);
    expect(found.readers).toEqual([{ file: "b.sql", line: 2, statement: "select", via: [] }]);
    expect(found.names).toEqual(["shop.sales"]);
  });

  test("follows temporary tables, named so or dropped by the same file, to what lasts", () => {
    const found = map("t", {
      "a.sql": `CREATE TEMP TABLE x AS SELECT id AS k, n FROM src;
CREATE TABLE y AS SELECT k, n FROM x;
INSERT INTO t SELECT k AS id, upper(n) AS n FROM y;
DROP TABLE y;`,
    });
    expect(found.upstream).toEqual([
      { table: "src", places: [{ file: "a.sql", line: 1, statement: "create table", via: ["x", "y"] }] },
    ]);
    expect(found.columns).toEqual([
      { from: { table: "src", column: "id" }, to: { table: "t", column: "id" }, transform: "identity" },
      { from: { table: "src", column: "n" }, to: { table: "t", column: "n" }, transform: "transformation" },
    ]);
  });

  test("a temporary table of another file is another table", () => {
    const found = map("t", {
      "a.sql": "CREATE TEMP TABLE x AS SELECT * FROM src;",
      "b.sql": "INSERT INTO t SELECT * FROM x;",
    });
    expect(tables(found.upstream)).toEqual(["x"]);
  });

  test("follows readers through temporary tables to what they make", () => {
    const found = map("t", { "a.sql": "SELECT * INTO #x FROM t;\nINSERT INTO final SELECT * FROM #x;" });
    expect(tables(found.downstream)).toEqual(["final"]);
  });

  test("a renamed table keeps what filled it", () => {
    const found = map("t", { "a.sql": "CREATE TABLE t_new AS SELECT * FROM src; ALTER TABLE t_new RENAME TO t;" });
    expect(tables(found.upstream)).toEqual(["src"]);
  });

  test("a dataset does not depend on itself, and circles end", () => {
    const found = map("t", {
      "a.sql":
        "INSERT INTO t SELECT * FROM t JOIN a ON true; CREATE TEMP TABLE x AS SELECT * FROM y; CREATE TEMP TABLE y AS SELECT * FROM x; INSERT INTO t SELECT * FROM x;",
    });
    expect(tables(found.upstream)).toEqual(["a"]);
  });

  test("a table of another schema that feeds the dataset is not the dataset, though called alike", () => {
    const found = map("orders", {
      "a.sql": `INSERT INTO raw.orders SELECT * FROM feed;
CREATE TABLE dw.orders AS SELECT * FROM raw.orders;
CREATE VIEW v AS SELECT * FROM raw.orders;
CREATE VIEW w AS SELECT * FROM dw.orders;`,
    });
    expect(tables(found.upstream)).toEqual(["raw.orders"]);
    expect(tables(found.downstream)).toEqual(["w"]);
  });

  test("a file name in SQL means the dataset of that name", () => {
    const found = map("sales.2024", { "a.sql": "CREATE TABLE w AS SELECT * FROM 'lake/sales.2024.parquet';" });
    expect(tables(found.downstream)).toEqual(["w"]);
  });
});
