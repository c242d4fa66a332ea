import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { customersSql, type LakeSize, ordersSql, TRANSACTIONS_CONTRACT, TRANSACTIONS_SQL } from "./tables.ts";

/** Raised when the layout or the draws of the lake change, so that an older lake is built anew. */
const LAKE_VERSION = 2;

/** What to build and where. */
export interface LakeOptions {
  /** Folder to write to; it is created. */
  readonly out: string;
  /** Rows of `customer_transactions`. */
  readonly rows: number;
  /** Seed of every draw: the same seed gives the same rows. */
  readonly seed: number;
}

/** Whether the lake had to be built, and how long it took. */
export interface LakeResult {
  /** `false` where the same lake was already there. */
  readonly built: boolean;
  /** Time taken, in milliseconds. */
  readonly durationMs: number;
}

interface Manifest {
  readonly version: number;
  readonly rows: number;
  readonly seed: number;
}

/** Builds the sample lake, unless the manifest in `out` says that the same one is there. */
export async function buildLake(options: LakeOptions): Promise<LakeResult> {
  const start = performance.now();
  const manifest: Manifest = { version: LAKE_VERSION, rows: options.rows, seed: options.seed };
  const manifestPath = join(options.out, "manifest.json");
  if (await holds(manifestPath, manifest)) return { built: false, durationMs: performance.now() - start };
  await mkdir(options.out, { recursive: true });
  await rm(manifestPath, { force: true });
  await writeTables(options);
  await writeFile(join(options.out, "customer_transactions.sql"), TRANSACTIONS_SQL);
  await writeFile(join(options.out, "customer_transactions.contract.yaml"), TRANSACTIONS_CONTRACT);
  // Last, so that a build that was interrupted is never taken for a whole one.
  await writeFile(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
  return { built: true, durationMs: performance.now() - start };
}

async function holds(path: string, wanted: Manifest): Promise<boolean> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.trim() === JSON.stringify(wanted, null, 2);
}

async function writeTables({ out, rows, seed }: LakeOptions): Promise<void> {
  const size: LakeSize = { rows, seed, customers: Math.max(1, Math.ceil(rows / 10)) };
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run(customersSql(size));
    await connection.run(ordersSql(size));
    await connection.run(TRANSACTIONS_SQL);
    await copy(connection, { table: "customers", order: "customer_id", out });
    await copy(connection, { table: "orders", order: "order_id", out });
    await copy(connection, { table: "customer_transactions", order: "order_id", out });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function copy(connection: DuckDBConnection, what: { table: string; order: string; out: string }): Promise<void> {
  const target = join(what.out, `${what.table}.parquet`);
  const partial = `${target}.partial`;
  const path = partial.replaceAll("'", "''");
  await connection.run(
    `COPY (SELECT * FROM ${what.table} ORDER BY ${what.order}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
  );
  await rename(partial, target);
}
