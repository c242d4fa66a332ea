import { join } from "node:path";
import { Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { copyCsv } from "./csv.ts";
import { DatasetError } from "./dataset-error.ts";
import { Duck, type DuckLimits, literal } from "./duck.ts";
import { tooLarge } from "./format.ts";
import { copyJson } from "./json.ts";
import { type Leaf, leavesOf } from "./leaves.ts";
import type { NativeGate } from "./native-gate.ts";
import { type RawFile, rowsOf, type Source } from "./source.ts";
import { plainText, refuseLongLines } from "./text-file.ts";

/** Rows that one byte of parquet may stand for, once the file says that it has more than {@link DENSE_FROM_ROWS}. */
const MAX_ROWS_PER_BYTE = 1000;
const DENSE_FROM_ROWS = 100_000_000;
/** Pages after decompression, in bytes, at most. */
const MAX_UNPACKED_BYTES = 512 * 2 ** 30;

/** Memory for parsing a text with thousands of columns, in MB. */
const WIDE_MEMORY_MB = 4096;

/** Where preparing may write, and what it may use. */
export interface PrepareOptions {
  /** Folder of the session. */
  readonly folder: string;
  /** Name for the files of this dataset in it; unique in the session. */
  readonly name: string;
  readonly memoryLimitMb: number;
  readonly gate: NativeGate;
  readonly signal: AbortSignal;
}

/** Makes a dataset ready to be read: parquet is checked, a text is parsed into parquet once. */
export async function prepare(file: RawFile, options: PrepareOptions): Promise<Source> {
  if (file.format === Format.PARQUET) return describe(file.path, {}, options);
  const scratch = join(options.folder, options.name);
  const text = await plainText(file, scratch, options.signal);
  const target = `${scratch}.parquet`;
  const json = file.format === Format.JSON;
  if (!json) await refuseLongLines(text.path, options.signal);
  const parse = (memoryLimitMb: number) => {
    const limits = { ...limitsOf(options, [text.path]), writable: options.folder, memoryLimitMb };
    return withDuck(limits, options.signal, (duck) => (json ? copyJson : copyCsv)(duck, text, target));
  };
  const dialect = await parse(options.memoryLimitMb * 2).catch((error: unknown) => {
    // The writer holds a block per column: thousands of columns need more, however few the rows.
    if (error instanceof DatasetError && error.reason === Reason.DATA_TOO_LARGE) return parse(WIDE_MEMORY_MB);
    throw error;
  });
  return describe(target, { encoding: text.encoding, ...dialect }, options);
}

function limitsOf(options: PrepareOptions, files: readonly string[]): DuckLimits {
  return { files, spill: join(options.folder, "spill"), memoryLimitMb: options.memoryLimitMb, gate: options.gate };
}

async function withDuck<T>(limits: DuckLimits, signal: AbortSignal, work: (duck: Duck) => Promise<T>): Promise<T> {
  const duck = await Duck.open(limits);
  const stop = () => duck.interrupt();
  signal.addEventListener("abort", stop);
  try {
    return await work(duck);
  } finally {
    signal.removeEventListener("abort", stop);
    await duck.close();
  }
}

async function describe(path: string, dialect: Record<string, string>, options: PrepareOptions): Promise<Source> {
  return withDuck(limitsOf(options, [path]), options.signal, async (duck) => {
    const own = Object.keys(dialect).length > 0;
    const rowCount = await countRows(duck, path);
    const leaves = await leavesIn(duck, path);
    if (leaves.length === 0) throw new DatasetError(Reason.DATA_UNSUPPORTED, "The dataset has no columns");
    const compressedBytes = own ? [] : await bytesPerLeaf(duck, path, leaves);
    return { path, rowCount, leaves, dialect, compressedBytes };
  });
}

async function leavesIn(duck: Duck, path: string): Promise<Leaf[]> {
  const result = await duck.stream(`SELECT * FROM ${rowsOf({ path })} LIMIT 0`);
  return leavesOf(result.columnNames(), result.columnTypes());
}

/** Rows by the footer, which is asked before anything is allocated for it. */
async function countRows(duck: Duck, path: string): Promise<number> {
  const row = await duck.askOne(
    `SELECT num_rows AS rows, file_size_bytes AS bytes FROM parquet_file_metadata(${literal(path)})`,
  );
  const rows = Number(row.rows);
  if (!Number.isSafeInteger(rows) || rows < 0) {
    throw new DatasetError(Reason.DATA_CORRUPT, "The parquet file's footer states an impossible number of rows");
  }
  if (rows > DENSE_FROM_ROWS && rows > Number(row.bytes) * MAX_ROWS_PER_BYTE) {
    throw tooLarge("The number of rows per byte of the file", String(MAX_ROWS_PER_BYTE));
  }
  return rows;
}

async function bytesPerLeaf(duck: Duck, path: string, leaves: readonly Leaf[]): Promise<number[]> {
  const rows = await duck.ask(
    `SELECT column_id, sum(total_compressed_size) AS bytes, sum(total_uncompressed_size) AS unpacked
     FROM parquet_metadata(${literal(path)}) GROUP BY column_id ORDER BY column_id`,
  );
  if (rows.reduce((sum, row) => sum + Number(row.unpacked ?? 0), 0) > MAX_UNPACKED_BYTES) {
    throw tooLarge("The parquet file, decompressed,", `${MAX_UNPACKED_BYTES / 2 ** 30} GiB`);
  }
  // Where the reader shows other leaves than the file stores (variants, geometries), it cannot be told whose bytes are whose.
  return rows.length === leaves.length ? rows.map((row) => Math.max(0, Number(row.bytes ?? 0))) : [];
}
