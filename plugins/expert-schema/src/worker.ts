import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { type Dependency, findDependencies } from "./dependencies.ts";
import { ColumnEncoder, type EncodedColumn } from "./encode.ts";
import { findPairs } from "./pairs.ts";
import { type ColumnFacts, columnFacts } from "./sample.ts";

/** What to look at. */
export interface SampleJob {
  dataset: string;
  columns: string[];
  rows: number;
  /** Columns that may determine others, preferred ones first. */
  determinants: string[];
  /** Columns that may be half of a key; empty where single columns are keys. */
  keyParts: string[];
}

/** What the sample shows. Counts and names only. */
export interface SampleAnswer {
  rows: number;
  facts: ColumnFacts[];
  dependencies: Dependency[];
  /** Pairs of columns that are unique on the sample. */
  pairs: [string, string][];
}

const sampleColumns: WorkerFunction<SampleJob, SampleAnswer> = async (job, io) => {
  const encoders = job.columns.map((name) => new ColumnEncoder(name));
  let rows = 0;
  for await (const batch of io.read(job.dataset, { columns: job.columns, sample: job.rows })) {
    io.signal?.throwIfAborted();
    rows += batch.rowCount;
    for (const encoder of encoders) encoder.add(batch.columns[encoder.column.name] ?? []);
  }
  const columns = encoders.map(({ column }) => column);
  const whole = columns.filter(({ codes }) => codes.length === rows);
  return {
    rows,
    facts: columns.map(columnFacts),
    dependencies: findDependencies(whole, job.determinants),
    pairs: findPairs(pick(whole, job.keyParts), rows),
  };
};
export default sampleColumns;

function pick(columns: EncodedColumn[], names: string[]): EncodedColumn[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  return names.flatMap((name) => byName.get(name) ?? []);
}
