import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { kindOf } from "./kinds.ts";
import { type Measure, measure } from "./measure.ts";
import { type OrderedPair, orderedPairs } from "./pairs.ts";
import { readRows } from "./read.ts";

/** What to measure. */
export interface MeasureJob {
  dataset: string;
  columns: { name: string; type: string; withheld: boolean }[];
  rows: number;
}

/** What the sample shows: counts, shapes and rounded bounds. */
export interface MeasureAnswer {
  rows: number;
  measures: Measure[];
  pairs: OrderedPair[];
  /** Rows of the sample that repeat an earlier one in every column. */
  duplicates: number;
}

const measureSample: WorkerFunction<MeasureJob, MeasureAnswer> = async ({ dataset, columns, rows: limit }, io) => {
  const { rowCount, values } = await readRows(io, { dataset, columns: columns.map(({ name }) => name), rows: limit });
  const valuesOf = (name: string) => values.get(name) ?? [];
  return {
    rows: rowCount,
    measures: columns.map(({ name, type, withheld }) =>
      measure({ name, kind: kindOf(type), withheld }, valuesOf(name)),
    ),
    pairs: orderedPairs(
      columns
        .filter(({ withheld }) => !withheld)
        .map(({ name, type }) => ({ name, kind: kindOf(type), values: valuesOf(name) })),
    ),
    duplicates: duplicates([...values.values()], rowCount),
  };
};
export default measureSample;

function duplicates(columns: unknown[][], rowCount: number): number {
  if (columns.length === 0) return 0;
  const seen = new Set<string>();
  for (let row = 0; row < rowCount; row += 1) seen.add(JSON.stringify(columns.map((values) => values[row])));
  return rowCount - seen.size;
}
