import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { polyglotParser } from "./polyglot-parser.ts";
import type { ColumnEdge } from "./statement.ts";

const parse = (sql: string, dialect?: string) => polyglotParser.parse(sql, dialect ? { dialect } : {});

/** `target <- source:line, …` for each statement that touches tables. */
const flows = (sql: string, dialect?: string) =>
  parse(sql, dialect).statements.map(
    ({ target, sources }) =>
      `${target?.name ?? "?"} <- ${sources.map(({ name, line }) => `${name}:${line}`).join(", ")}`,
  );

const edges = (sql: string) =>
  (parse(sql).statements.at(-1)?.columns ?? []).map(
    ({ from, to }: ColumnEdge) => `${from.table ?? "?"}.${from.column} -> ${to.table}.${to.column}`,
  );

describe("tables", () => {
  test.each([
    ["CREATE TABLE AS", "CREATE TABLE t AS\nSELECT * FROM a\nJOIN s.b ON a.id = b.id", "t <- a:2, s.b:3"],
    ["CREATE VIEW", "CREATE OR REPLACE VIEW v AS SELECT * FROM a UNION ALL SELECT * FROM b", "v <- a:1, b:1"],
    ["INSERT … SELECT", "INSERT INTO t (x)\nSELECT x FROM a WHERE y IN (\nSELECT y FROM b)", "t <- a:2, b:3"],
    ["MERGE", "MERGE INTO t USING (SELECT id\nFROM a) s ON t.id = s.id WHEN MATCHED THEN DELETE", "t <- a:2"],
    ["UPDATE … FROM", "UPDATE t SET x = a.x\nFROM a WHERE a.id = t.id", "t <- a:2"],
    ["UPDATE by the alias of FROM", "UPDATE x SET x.c = s.c FROM t x JOIN s ON s.id = x.id", "t <- s:1"],
    ["UPDATE … JOIN", "UPDATE t JOIN a ON a.id = t.id SET t.x = a.x", "t <- a:1"],
    ["DELETE … USING", "DELETE FROM t USING a WHERE a.id = t.id", "t <- a:1"],
    ["SELECT INTO", "SELECT x INTO t FROM a", "t <- a:1"],
    ["COPY FROM a file", "\nCOPY t\nFROM 's3://user:pw@bucket/key?sig=x'", "t <- s3://bucket/key:3"],
    ["files read by name", "CREATE TABLE t AS SELECT *\nFROM read_parquet('a.parquet')", "t <- a.parquet:2"],
    ["quoted names", 'CREATE TABLE "My T" AS SELECT * FROM "S"."A b"', "My T <- S.A b:1"],
    ["a bare query", "SELECT * FROM a", "? <- a:1"],
    ["nested arrays of BigQuery", "SELECT * FROM t AS x, x.items AS i", "? <- t:1"],
  ])("%s", (_, sql, expected) => {
    expect(flows(sql)).toEqual([expected]);
  });

  test("a CTE is no source, wherever its WITH stands", () => {
    expect(flows("WITH c AS (SELECT * FROM a), d AS (SELECT * FROM c) INSERT INTO t SELECT * FROM d")).toEqual([
      "t <- a:1",
    ]);
    expect(flows("INSERT INTO t WITH c AS (SELECT * FROM a) SELECT * FROM c")).toEqual(["t <- a:1"]);
  });

  test("a CTE hides a table only behind its own definition, and never a qualified one", () => {
    expect(flows("WITH a AS (SELECT * FROM a) SELECT * FROM a JOIN s.a ON true")).toEqual(["? <- a:1, s.a:1"]);
  });

  test("a recursive CTE does not read itself", () => {
    expect(flows("WITH RECURSIVE r AS (SELECT * FROM a UNION ALL SELECT * FROM r) SELECT * FROM r")).toEqual([
      "? <- a:1",
    ]);
  });

  test("a foreign key is no source", () => {
    expect(flows("CREATE TABLE t (id int REFERENCES a(id))")).toEqual(["t <- "]);
  });

  test("characters outside the basic plane do not shift the lines", () => {
    expect(flows("-- 🎉🎉\nCREATE TABLE t AS SELECT '🎉'\nFROM a")).toEqual(["t <- a:3"]);
  });

  test("a statement that no dialect reads leaves the others readable, with its line", () => {
    const { statements, faults } = parse(
      "INSERT INTO t SELECT * FROM a;\n\nSELEC FROM (;\nINSERT INTO t SELECT * FROM b;",
    );
    expect(statements.map(({ sources }) => sources[0]?.name)).toEqual(["a", "b"]);
    expect(faults.map(({ line }) => line)).toEqual([3]);
  });

  test("statements of several dialects in one file are each read", () => {
    expect(flows("SELECT TOP 3 * FROM [a b];\nINSERT OVERWRITE TABLE t SELECT * FROM `c`;")).toEqual([
      "? <- a b:1",
      "t <- c:2",
    ]);
  });

  test("nothing makes it throw", () => {
    const word = fc.constantFrom(
      "SELECT",
      "FROM",
      "a",
      "(",
      ")",
      "'",
      '"',
      ";",
      "WITH",
      "AS",
      "INTO",
      "INSERT",
      "--",
      "é",
      "🎉",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        expect(parse(words.join(" ")).shownLines).toBeInstanceOf(Array);
      }),
      { numRuns: 100 },
    );
    expect(parse(`SELECT ${"(".repeat(3000)}`).faults).toHaveLength(1);
    expect(parse("").statements).toEqual([]);
  });
});

describe("columns", () => {
  test("follow aliases, expressions and CTEs to the tables", () => {
    expect(
      edges(
        "CREATE TABLE t AS WITH c AS (SELECT id, x + y AS z FROM a) SELECT C.z, b.w AS v FROM c JOIN b ON b.id = c.id",
      ).sort(),
    ).toEqual(["a.x -> t.z", "a.y -> t.z", "b.w -> t.v"]);
  });

  test("take the names that the target gives", () => {
    expect(edges("INSERT INTO t (p, q) SELECT x, y FROM a")).toEqual(["a.x -> t.p", "a.y -> t.q"]);
  });

  test("come from the assignments of UPDATE and MERGE", () => {
    expect(edges("UPDATE t SET x = a.y FROM a")).toEqual(["a.y -> t.x"]);
    expect(edges("MERGE INTO t USING a ON a.k = t.k WHEN NOT MATCHED THEN INSERT (k, v) VALUES (a.k, a.w)")).toEqual([
      "a.k -> t.k",
      "a.w -> t.v",
    ]);
  });

  test("stay open where the SQL does not say which table is meant", () => {
    expect(edges("INSERT INTO t SELECT x FROM a JOIN b ON a.id = b.id")).toEqual(["?.x -> t.x"]);
  });
});

describe("shown lines", () => {
  test("hold no comment, no text literal and no long number", () => {
    const { shownLines } = parse(
      "SELECT 'joe@x.org' AS m, \"Joe Doe\" -- call 5550100\nFROM \"A b\" /* Ann */ WHERE ssn = 123456789\nAND n = 'it''s\nAnn'",
    );
    expect(shownLines).toEqual(["SELECT '…' AS m, '…'", 'FROM "A b" WHERE ssn = …', "AND n = '…'", ""]);
  });

  test("nor does the name of a column that is an expression", () => {
    const sql = "INSERT INTO t SELECT CASE /* Ann */ WHEN m = 'joe@x.org' OR s = 123456789 THEN 1 END FROM a -- Bob";
    expect(edges(sql)[0]).toBe("a.m -> t.CASE WHEN m = '…' OR s = '…' THEN 1 END");
  });

  test("nor does the message of a fault", () => {
    for (const sql of ["SELECT 'Ann' 'Bob' FROM (", "UPDATE t SET x 'Ann' WHERE", "SELECT 'Ann"]) {
      expect(JSON.stringify(parse(sql).faults)).not.toMatch(/Ann|Bob/);
    }
  });
});
