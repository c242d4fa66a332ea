import type { Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { type Duck, identifier, literal } from "./duck.ts";
import type { Leaf } from "./leaves.ts";

/** A dataset as its owner stores it: what there is to prepare. */
export interface RawFile {
  /** Absolute real path. */
  readonly path: string;
  readonly format: Format;
  readonly compression: "none" | "gzip" | "zstd";
}

/** A dataset ready to be read: always parquet; a text format was turned into it once, so that every reader sees one schema. */
export interface Source {
  /** Absolute path of the parquet file. */
  readonly path: string;
  readonly rowCount: number;
  readonly leaves: readonly Leaf[];
  /** How the text was parsed; empty for parquet. */
  readonly dialect: Readonly<Record<string, string>>;
  /** Bytes per leaf in storage; empty where the format does not tell. */
  readonly compressedBytes: readonly number[];
}

/** Seed of every sample. */
const SEED = 7;

/** SQL for the rows of a source. */
export function rowsOf(source: Pick<Source, "path">): string {
  return `read_parquet(${literal(source.path)})`;
}

/** SQL for exactly `size` rows (all where there are fewer), the same ones each time, in the order of the file. */
export function sampleOf(source: Source, size: number): string {
  if (size >= source.rowCount) return rowsOf(source);
  const numbered = `read_parquet(${literal(source.path)}, file_row_number = true)`;
  const rank = `hash(file_row_number, ${SEED})`;
  // Told in so many words: the join that IN becomes keeps no order when threads share the work. The threshold keeps 30 % more than are needed, and never fewer than 100 more, so that the sort stays small.
  const threshold = Math.min(source.rowCount, Math.ceil(size * 1.3) + 100);
  return `(SELECT * EXCLUDE (file_row_number) FROM ${numbered} WHERE file_row_number IN (
    SELECT file_row_number FROM ${numbered} WHERE ${rank} % ${source.rowCount} < ${threshold} ORDER BY ${rank} LIMIT ${size})
    ORDER BY file_row_number)`;
}

/** Distinct values of a leaf other than NULL, most frequent first, ties by value. */
export async function distinctOf(
  duck: Duck,
  { source, leaf, limit }: { source: Source; leaf: Leaf; limit: number },
): Promise<{ value: unknown; count: number }[]> {
  const value = leaf.repeated ? `unnest(${leaf.sql})` : leaf.sql;
  const sql = `SELECT ${plainSql(leaf.kind, "v")} AS value, n FROM (
    SELECT v, count(*) AS n FROM (SELECT ${value} AS v FROM ${rowsOf(source)}) WHERE v IS NOT NULL GROUP BY v
  ) ORDER BY n DESC, CAST(v AS VARCHAR) LIMIT ${Math.max(1, Math.trunc(limit))}`;
  const rows = await duck.ask(sql);
  return rows.map((row) => ({ value: plainValue(row.value, leaf.kind), count: Number(row.n) }));
}

/** SQL that turns a leaf's value into one that JavaScript holds without loss. */
export function plainSql(kind: Leaf["kind"], sql: string): string {
  if (kind === "integer" || kind === "text" || kind === "boolean") return sql;
  return kind === "blob" ? `to_base64(${sql})` : sql;
}

function plainValue(value: unknown, kind: Leaf["kind"]): unknown {
  if (kind !== "integer") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** SQL of a leaf as a column of a batch: numbers and booleans as they are, everything else as text. */
export function batchSql(leaf: Leaf): string {
  const asText = !/^(BOOLEAN|U?(TINY|SMALL|BIG)?INT(EGER)?|FLOAT|DOUBLE|VARCHAR)$/.test(leaf.type);
  if (leaf.kind === "blob") {
    return leaf.repeated ? `list_transform(${leaf.sql}, lambda x: to_base64(x))` : `to_base64(${leaf.sql})`;
  }
  if (!asText) return leaf.sql;
  return `CAST(${leaf.sql} AS VARCHAR${leaf.repeated ? "[]" : ""})`;
}

/** An SQL list of leaves under names that cannot clash: `c0`, `c1` … */
export function selection(leaves: readonly Leaf[]): string {
  return leaves.map((leaf, i) => `${batchSql(leaf)} AS ${identifier(`c${i}`)}`).join(", ");
}
