import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildLake } from "./lake.ts";
import { TRANSACTIONS_SQL } from "./tables.ts";

let folder: string;
const options = () => ({ out: join(folder, "a"), rows: 5_000, seed: 7 });

async function ask(sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lake-"));
  await buildLake(options());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the sample lake", () => {
  const table = (name: string, lake = "a") => `'${join(folder, lake, name)}.parquet'`;

  it("holds a row for every order in fifteen columns", async () => {
    expect(await ask(`SELECT count(*)::INTEGER AS n FROM ${table("customer_transactions")}`)).toEqual([{ n: 5_000 }]);
    expect(await ask(`DESCRIBE FROM ${table("customer_transactions")}`)).toHaveLength(15);
  });

  it("is not built again for the same rows and seed, and is for others", async () => {
    expect((await buildLake(options())).built).toBe(false);
    expect((await buildLake({ out: join(folder, "b"), rows: 10, seed: 1 })).built).toBe(true);
    expect((await buildLake({ out: join(folder, "b"), rows: 10, seed: 2 })).built).toBe(true);
  });

  it("comes out the same for the same seed", async () => {
    await buildLake({ ...options(), out: join(folder, "c") });
    const [a, c] = await Promise.all(
      ["a", "c"].map((lake) => readFile(join(folder, lake, "customer_transactions.parquet"))),
    );
    expect(a?.equals(c ?? Buffer.alloc(0))).toBe(true);
  });

  it("gives only Social Security numbers that may be issued, each to one person", async () => {
    const bad = "ssn LIKE '000-%' OR ssn LIKE '666-%' OR ssn LIKE '9%' OR ssn LIKE '%-00-%' OR ssn LIKE '%-0000'";
    const sql = `SELECT count(*) FILTER (${bad})::INTEGER AS bad, count(ssn) > 0 AS some, count(ssn) = count(DISTINCT ssn) AS unique
      FROM ${table("customers")}`;
    expect(await ask(sql)).toEqual([{ bad: 0, some: true, unique: true }]);
  });

  it("is what the SQL beside it builds", async () => {
    expect(await readFile(join(folder, "a", "customer_transactions.sql"), "utf8")).toBe(TRANSACTIONS_SQL);
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(`CREATE VIEW orders AS FROM ${table("orders")}`);
    await connection.run(`CREATE VIEW customers AS FROM ${table("customers")}`);
    await connection.run(TRANSACTIONS_SQL);
    const left = await connection.runAndReadAll(
      `FROM customer_transactions EXCEPT FROM ${table("customer_transactions")}`,
    );
    expect(left.currentRowCount).toBe(0);
    connection.closeSync();
    instance.closeSync();
  });
});
