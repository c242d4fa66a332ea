import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { type Spelling, spells } from "./logical-type.ts";

/** What the sample suggested and every row has to confirm. */
export interface ScanJob {
  dataset: string;
  /** Sets of columns believed to be unique. */
  keys: string[][];
  /** Text columns believed to spell a type. */
  typed: { column: string; type: Spelling }[];
}

/** What held on all rows: same order as in the job. */
export interface ScanAnswer {
  rows: number;
  keys: boolean[];
  /** Texts that do not spell the type. */
  exceptions: number[];
}

const scanAll: WorkerFunction<ScanJob, ScanAnswer> = async ({ dataset, keys, typed }, io) => {
  const columns = [...new Set([...keys.flat(), ...typed.map(({ column }) => column)])];
  const seen = keys.map(() => new Set<string>());
  const unique = keys.map(() => true);
  const exceptions = typed.map(() => 0);
  let rows = 0;
  for await (const batch of io.read(dataset, { columns })) {
    io.signal?.throwIfAborted();
    rows += batch.rowCount;
    for (const [index, key] of keys.entries()) {
      if (unique[index])
        unique[index] = addRows(
          seen[index]!,
          key.map((name) => batch.columns[name] ?? []),
          batch.rowCount,
        );
      if (!unique[index]) seen[index]!.clear();
    }
    for (const [index, { column, type }] of typed.entries()) {
      for (const value of batch.columns[column] ?? []) {
        if (typeof value === "string" && !spells(value, type)) exceptions[index] = (exceptions[index] ?? 0) + 1;
      }
    }
  }
  return { rows, keys: unique, exceptions };
};
export default scanAll;

function addRows(seen: Set<string>, columns: unknown[][], rows: number): boolean {
  for (let row = 0; row < rows; row += 1) {
    const parts = columns.map((values) => values[row]);
    if (parts.includes(null) || parts.includes(undefined)) return false;
    const combination = parts.length === 1 ? String(parts[0]) : JSON.stringify(parts);
    if (seen.has(combination)) return false;
    seen.add(combination);
  }
  return true;
}
