// DuckDB alone: SUMMARIZE of every column.
import { DuckDBInstance } from "@duckdb/node-api";

const connection = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
const reader = await connection.runAndReadAll("SUMMARIZE SELECT * FROM read_parquet($file)", {
  file: process.argv[2] ?? "",
});
if (reader.currentRowCount === 0) throw new Error("nothing was summarised");
