import type { WorkerFunction, WorkerIo } from "@odg/expert-plugin-api/worker";
import { tokensOf } from "./names.ts";

/** Columns that may point at a sibling, and the siblings. */
export interface ReferenceJob {
  dataset: string;
  columns: string[];
  siblings: { uri: string; name: string }[];
  /** Rows to sample of the dataset. */
  rows: number;
  /** Rows of a sibling's key to read at most; a larger sibling is not measured. */
  siblingRows: number;
}

/** A column whose values are found in a column of a sibling, each once. */
export interface Reference {
  column: string;
  dataset: string;
  referenced_column: string;
  /** Different values of the sample. */
  values: number;
  /** Those found in the sibling. */
  included: number;
}

/** What was measured, and which siblings could not be. */
export interface ReferenceAnswer {
  references: Reference[];
  /** Names of siblings that could not be read, or were too large. */
  unmeasured: { name: string; reason: string }[];
}

/** Fewer values than this prove nothing: they are found in any column of small numbers. */
const FEWEST_VALUES = 5;
/** Below this share a column points elsewhere: its values only overlap. */
const LEAST_INCLUSION = 0.9;

const findReferences: WorkerFunction<ReferenceJob, ReferenceAnswer> = async (job, io) => {
  const answer: ReferenceAnswer = { references: [], unmeasured: [] };
  const own = await sampleValues(job, io);
  for (const sibling of job.siblings) {
    io.signal?.throwIfAborted();
    try {
      const names = await columnNames(sibling.uri, io);
      for (const [column, key] of matches(job.columns, names, sibling.name)) {
        const values = own.get(column);
        if (!values || values.size < FEWEST_VALUES) continue;
        const included = await lookUp({ uri: sibling.uri, column: key, values, limit: job.siblingRows }, io);
        if (included === "too large")
          answer.unmeasured.push({ name: sibling.name, reason: `${key} has too many rows` });
        if (typeof included === "string" || included / values.size < LEAST_INCLUSION) continue;
        answer.references.push({
          column,
          dataset: sibling.name,
          referenced_column: key,
          values: values.size,
          included,
        });
      }
    } catch (error) {
      if (io.signal?.aborted) throw error;
      // A sibling that nobody asked about may be broken or forbidden; the report says that it was not looked at.
      answer.unmeasured.push({ name: sibling.name, reason: "it could not be read" });
    }
  }
  return answer;
};
export default findReferences;

async function sampleValues({ dataset, columns, rows }: ReferenceJob, io: WorkerIo): Promise<Map<string, Set<string>>> {
  const values = new Map(columns.map((name) => [name, new Set<string>()]));
  for await (const batch of io.read(dataset, { columns, sample: rows })) {
    for (const [name, seen] of values) {
      for (const value of batch.columns[name] ?? []) if (value !== null && value !== undefined) seen.add(String(value));
    }
  }
  return values;
}

async function columnNames(uri: string, io: WorkerIo): Promise<string[]> {
  for await (const batch of io.read(uri, { sample: 1 })) return Object.keys(batch.columns);
  return [];
}

/** `customer_id` matches the sibling's `customer_id`; it also matches `id` of the sibling `customers`. */
export function matches(columns: string[], siblingColumns: string[], siblingName: string): [string, string][] {
  const found: [string, string][] = [];
  const table = singular(tokensOf(siblingName).join("_"));
  for (const column of columns) {
    const mine = tokensOf(column).join("_");
    for (const other of siblingColumns) {
      const theirs = tokensOf(other).join("_");
      const plainId = theirs === "id" && mine === `${table}_id`;
      if ((mine === theirs && mine !== "id") || plainId) found.push([column, other]);
    }
  }
  return found;
}

function singular(name: string): string {
  if (name.endsWith("ies")) return `${name.slice(0, -3)}y`;
  return name.endsWith("s") && !name.endsWith("ss") ? name.slice(0, -1) : name;
}

interface Lookup {
  uri: string;
  column: string;
  values: ReadonlySet<string>;
  limit: number;
}

/**
 * How many of the values occur in the column. Only the values looked up are held in memory, however large the sibling is;
 * so that none of them occurs twice is what shows the column to be a key.
 */
async function lookUp(
  { uri, column, values, limit }: Lookup,
  io: WorkerIo,
): Promise<number | "not unique" | "too large"> {
  const found = new Set<string>();
  let rows = 0;
  for await (const batch of io.read(uri, { columns: [column] })) {
    io.signal?.throwIfAborted();
    rows += batch.rowCount;
    if (rows > limit) return "too large";
    for (const value of batch.columns[column] ?? []) {
      if (value === null || value === undefined) return "not unique";
      const key = String(value);
      if (!values.has(key)) continue;
      if (found.has(key)) return "not unique";
      found.add(key);
    }
  }
  return found.size;
}
