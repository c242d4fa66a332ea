import { type DuckDBDataChunk, DuckDBListValue, type DuckDBValue } from "@duckdb/node-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";
import type { Duck } from "./duck.ts";
import type { Leaf } from "./leaves.ts";
import { rowsOf, type Source, sampleOf, selection } from "./source.ts";

/** Rows, column by column; nested leaves stand under their dotted path, a repeated leaf holds a list per row. */
export interface Batch {
  rowCount: number;
  /** NULL is `null`; integers beyond 2^53, decimals, times and ids are text; bytes are base64; NaN and infinities are text. */
  columns: Record<string, unknown[]>;
}

/** Which part of a dataset. */
export interface ReadOptions {
  /** Leaf columns; left out or empty: all. */
  columns?: string[];
  /** Number of rows to sample, by a fixed seed; left out or 0: all rows, in the order of the file. */
  sample?: number;
}

/** Rows that one batch holds, at least, unless it is the last. */
const BATCH_ROWS = 8192;

/** Reads a source batch by batch. */
export async function* batchesOf(duck: Duck, source: Source, options: ReadOptions): AsyncGenerator<Batch> {
  const leaves = chosen(source.leaves, options.columns);
  const rows = options.sample ? sampleOf(source, options.sample) : rowsOf(source);
  const result = await duck.stream(`SELECT ${selection(leaves)} FROM ${rows}`);
  let batch = emptyBatch(leaves);
  while (true) {
    const chunk = await duck.fetch(result);
    if (!chunk || chunk.rowCount === 0) break;
    append(batch, chunk, leaves);
    if (batch.rowCount < BATCH_ROWS) continue;
    yield batch;
    batch = emptyBatch(leaves);
  }
  if (batch.rowCount > 0) yield batch;
}

/** @throws DatasetError INPUT_INVALID naming the option, where a column is unknown. */
export function leafNamed(leaves: readonly Leaf[], name: string, option = "column"): Leaf {
  const leaf = leaves.find((one) => one.name === name);
  if (leaf) return leaf;
  throw new DatasetError(Reason.INPUT_INVALID, "The dataset has no column of that name", {
    subject: option,
    hint: "The names of the columns stand in the profile of the dataset.",
  });
}

function chosen(leaves: readonly Leaf[], columns: readonly string[] = []): readonly Leaf[] {
  if (columns.length === 0) return leaves;
  return columns.map((name, i) => leafNamed(leaves, name, `columns[${i}]`));
}

function emptyBatch(leaves: readonly Leaf[]): Batch {
  // A column may be called `__proto__`: fromEntries makes it an own key.
  return { rowCount: 0, columns: Object.fromEntries(leaves.map((leaf) => [leaf.name, []])) };
}

function append(batch: Batch, chunk: DuckDBDataChunk, leaves: readonly Leaf[]): void {
  for (const [i, leaf] of leaves.entries()) {
    const target = batch.columns[leaf.name];
    chunk.visitColumnValues(i, (value) => target?.push(plain(value)));
  }
  batch.rowCount += chunk.rowCount;
}

function plain(value: DuckDBValue): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  return value;
}
