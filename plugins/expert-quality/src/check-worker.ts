import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { evaluate, type Outcome } from "./evaluate.ts";
import { readRows } from "./read.ts";
import type { Expectation } from "./suite.ts";

/** A suite, and the table to check. */
export interface CheckJob {
  dataset: string;
  expectations: Expectation[];
  columns: { name: string; type: string }[];
  rows: number;
  tableRows: number;
}

/** How each expectation fared, in the order of the job: counts only. */
export interface CheckAnswer {
  rows: number;
  results: (Omit<Outcome, "unexpected"> & { unexpected: number })[];
}

const check: WorkerFunction<CheckJob, CheckAnswer> = async (
  { dataset, expectations, columns, rows, tableRows },
  io,
) => {
  const names = columns.map(({ name }) => name);
  const read = await readRows(io, { dataset, columns: names, rows });
  const table = {
    columns: Object.fromEntries(read.values),
    names,
    types: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
    rowCount: read.rowCount,
    tableRows,
  };
  const results = expectations.map((one) => {
    io.signal?.throwIfAborted();
    const outcome = evaluate(one, table);
    return { ...outcome, unexpected: outcome.unexpected.length };
  });
  return { rows: read.rowCount, results };
};
export default check;
