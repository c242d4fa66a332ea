import { DuckDBInstance } from "@duckdb/node-api";

/** Runs SQL in a DuckDB of its own: to write small real files for tests. */
export async function runSql(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (const sql of statements) await connection.run(sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
