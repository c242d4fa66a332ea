import type { WorkerFunction, WorkerIo } from "@odg/expert-plugin-api/worker";
import type { EntityName } from "./entities.ts";
import { ColumnTally, type Observation, unseen } from "./observe.ts";

/** What the worker is asked to look at. */
export interface ScanInput {
  dataset: string;
  /** `hint`: the entity that the column's name says. */
  columns: { name: string; hint?: EntityName | null }[];
  /** Rows of the seeded sample. */
  sampleRows: number;
  /** Milliseconds after which what is left counts as not looked at. */
  budgetMs: number;
}

/** Columns that are read together: bounds the memory of very wide tables. */
const COLUMNS_AT_ONCE = 64;
/** Cells of the sample over all columns. */
const MAX_CELLS = 4_000_000;
/** Sparse columns, of which the sample holds fewer values than this, are read by their distinct values too. */
const SPARSE = 50;

/** Looks at the values of all columns. Counts, shares and shapes come out, never a value. */
const scan: WorkerFunction<ScanInput, Observation[]> = async (input, io) => {
  const deadline = performance.now() + input.budgetMs;
  const count = Math.max(1, input.columns.length);
  const plan = {
    sample: Math.max(500, Math.min(input.sampleRows, Math.floor(MAX_CELLS / count))),
    cap: Math.max(300, Math.min(4000, Math.floor(200_000 / count))),
    deadline,
  };
  const observations: Observation[] = [];
  for (let start = 0; start < input.columns.length; start += COLUMNS_AT_ONCE) {
    const part = input.columns.slice(start, start + COLUMNS_AT_ONCE);
    observations.push(...(await scanPart(input.dataset, part, { io, ...plan })));
  }
  return observations;
};
export default scan;

type Plan = { io: WorkerIo; sample: number; cap: number; deadline: number };

async function scanPart(dataset: string, columns: ScanInput["columns"], plan: Plan): Promise<Observation[]> {
  if (performance.now() > plan.deadline) return columns.map(({ name }) => unseen(name, "timeout"));
  const tallies = columns.map(({ name, hint }) => ({
    tally: new ColumnTally(name, plan.cap),
    hint: hint ?? undefined,
  }));
  const names = columns.map(({ name }) => name);
  for await (const batch of plan.io.read(dataset, { columns: names, sample: plan.sample })) {
    plan.io.signal?.throwIfAborted();
    for (const { tally } of tallies) for (const value of batch.columns[tally.column] ?? []) tally.add(value);
  }
  const observations: Observation[] = [];
  for (const { tally, hint } of tallies) {
    plan.io.signal?.throwIfAborted();
    const late = performance.now() > plan.deadline;
    if (!late && tally.rows >= plan.sample * 0.9) await completeSparse(dataset, tally, plan.io);
    observations.push(late ? unseen(tally.column, "timeout") : tally.observe(hint));
  }
  return observations;
}

/** A few values among many NULLs slip through a sample; the distinct values of the whole column do not. */
async function completeSparse(dataset: string, tally: ColumnTally, io: WorkerIo): Promise<void> {
  if (tally.present >= SPARSE || tally.rows <= tally.present) return;
  const values = await io.distinct(dataset, tally.column, { limit: 1000 });
  const rows = tally.rows;
  tally.clear();
  for (const { value, count } of values) tally.add(value, count);
  tally.rows = Math.max(rows, tally.rows);
}
