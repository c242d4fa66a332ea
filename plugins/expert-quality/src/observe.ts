import type { ActionContext, DatasetInfo, DatasetProfile } from "@odg/expert-plugin-api";
import * as z from "zod";
import type { CheckAnswer, CheckJob } from "./check-worker.ts";
import { type Expectation, Suite } from "./suite.ts";
import type { MeasureAnswer, MeasureJob } from "./worker.ts";

/** What all actions of this expert work from. */
export interface Observation {
  uri: string;
  info: DatasetInfo;
  profile: DatasetProfile;
  rowCount: number;
  /** Rows to sample: fewer of a wide table. */
  rows: number;
}

/** Values in a sample at most. */
const SAMPLE_CELLS = 4_000_000;
const LEAST_ROWS = 500;

function worker(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
}

/** Opens and profiles a dataset. */
export async function observe(
  ctx: ActionContext,
  input: { dataset: string; sample_rows: number },
): Promise<Observation> {
  const dataset = await ctx.datasets.open(input.dataset);
  const profile = await dataset.profile();
  const affordable = Math.floor(SAMPLE_CELLS / Math.max(1, profile.columns.length));
  return {
    uri: input.dataset,
    info: dataset.info,
    profile,
    rowCount: Number(profile.rowCount),
    rows: Math.max(LEAST_ROWS, Math.min(input.sample_rows, affordable)),
  };
}

/** Measures a sample. */
export async function measureColumns(ctx: ActionContext, { uri, profile, rows }: Observation): Promise<MeasureAnswer> {
  const columns = profile.columns.map(({ name, type, valuesWithheld }) => ({
    name,
    type,
    withheld: valuesWithheld !== "",
  }));
  if (columns.length === 0) return { rows: 0, measures: [], pairs: [], duplicates: 0 };
  const job: MeasureJob = { dataset: uri, columns, rows };
  return ctx.offload<MeasureAnswer>(worker("worker"), job);
}

/** Checks expectations on a sample; the number of rows is the whole table's. */
export async function check(
  ctx: ActionContext,
  expectations: Expectation[],
  { uri, profile, rows, rowCount }: Observation,
): Promise<CheckAnswer> {
  const job: CheckJob = {
    dataset: uri,
    expectations,
    columns: profile.columns.map(({ name, type }) => ({ name, type })),
    rows,
    tableRows: rowCount,
  };
  return ctx.offload<CheckAnswer>(worker("check-worker"), job);
}

const Keys = z.array(z.object({ columns: z.array(z.string()), exact: z.boolean() }));

/** Keys of several columns that the schema expert counted on all rows; none where it did not run before. */
export async function compoundKeys(ctx: ActionContext): Promise<string[][]> {
  const shared = Keys.safeParse((await ctx.context.get("schema.keys"))?.value);
  if (!shared.success) return [];
  return shared.data.filter(({ columns, exact }) => exact && columns.length > 1).map(({ columns }) => columns);
}

/** The suite that an earlier task shared; an empty one, with a finding that says so, where none did. */
export async function sharedSuite(ctx: ActionContext, dataset: string): Promise<Suite> {
  const shared = Suite.safeParse((await ctx.context.get("quality.suite"))?.value);
  if (shared.success) return shared.data;
  ctx.finding({
    rule: "quality.no_suite",
    severity: "warning",
    subject: { kind: "dataset", name: dataset },
    reason: "Nothing was checked: the input names no suite, and no earlier task shared one.",
    evidence: [{ label: "suite", text: "neither input.suite nor the shared value quality.suite is there" }],
    remedy: "Give `suite`, or let define_expectations run before.",
  });
  return { name: "none", expectations: [], meta: {} };
}
