import type { ActionContext, DatasetProfile } from "@odg/expert-plugin-api";
import type * as z from "zod";
import { entityOf, isSpecialCategory } from "./entities.ts";
import { reportClean, reportColumn, reportUnread } from "./findings.ts";
import { maskedViewSql } from "./masking.ts";
import { isQuasiIdentifier, type NameSignal, nameSignal } from "./name-signal.ts";
import { type Observation, unseen } from "./observe.ts";
import type { DetectPiiInput, DetectPiiOutput, PiiColumn } from "./output.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import type { ScanInput } from "./worker.ts";

type Input = z.output<typeof DetectPiiInput>;

const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** Names first, then values in the worker, then the verdict of each column. */
export async function detectPii(input: Input, ctx: ActionContext): Promise<DetectPiiOutput> {
  const dataset = await ctx.datasets.open(input.dataset);
  const profile = await dataset.profile();
  const table = profile.dataset?.name || dataset.info.name;
  const names = profile.columns.map(({ name }) => ({ name, signal: nameSignal(name, table) }));
  ctx.progress(0.2, `${names.length} names read`);
  const observations = await look(input, names, ctx);
  ctx.progress(0.8, "values read");
  const verdicts = observations
    .map((observation, index) => verdictOf(observation, names[index]?.signal))
    .filter((verdict) => verdict !== undefined);
  const output = outputOf({ table, profile, observations, verdicts });
  publish(output, verdicts, { table, ctx });
  return output;
}

async function look(
  { dataset, sample_rows, budget_ms }: Input,
  names: { name: string; signal: NameSignal | undefined }[],
  ctx: ActionContext,
): Promise<Observation[]> {
  if (names.length === 0) return [];
  const columns = names.map(({ name, signal }) => ({ name, hint: signal?.entity ?? null }));
  const scan: ScanInput = { dataset, columns, sampleRows: sample_rows, budgetMs: budget_ms };
  try {
    return await ctx.offload<Observation[]>(WORKER, scan);
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    // Never pass because a scan failed: the names decide, and a column without a telling name counts as personal.
    ctx.log.warn("the values could not be read: the names of the columns decide, the rest is treated as personal data");
    return names.map(({ name }) => unseen(name, "timeout"));
  }
}

type Facts = { table: string; profile: DatasetProfile; observations: Observation[]; verdicts: Verdict[] };

function outputOf({ table, profile, observations, verdicts }: Facts): DetectPiiOutput {
  const found = new Map(verdicts.map((verdict) => [verdict.column, verdict]));
  const names = profile.columns.map(({ name }) => name);
  // Format 2 is CSV, whose names are literal; in parquet and JSON a dot separates levels.
  const nested = profile.dataset?.format !== 2;
  return {
    columns: verdicts.map(piiColumn),
    clean_columns: names.filter((name) => !found.has(name)),
    quasi_identifiers: names.filter((name) => !found.has(name) && isQuasiIdentifier(name)),
    columns_looked_at: observations.filter(({ status }) => status !== "timeout").length,
    rows_looked_at: observations.reduce((most, { rows }) => Math.max(most, rows), 0),
    row_count: Number(profile.rowCount),
    unread: observations.filter(({ status }) => status === "timeout").map(({ column }) => column),
    masked_view_sql:
      found.size === 0
        ? ""
        : maskedViewSql(
            table,
            names.map((column) => {
              const verdict = found.get(column);
              return verdict ? { column, entity: verdict.entity, masking: maskingOf(verdict) } : { column };
            }),
            nested,
          ),
  };
}

/** Text with an entity inside cannot be hashed into something useful: it is dropped. */
function maskingOf({ entity, basis }: Verdict): PiiColumn["masking"] {
  return basis === "text inside values" ? "drop" : entityOf(entity).masking;
}

function piiColumn(verdict: Verdict): PiiColumn {
  const { column, entity, confidence, basis, match, name, observation } = verdict;
  const { kind, label, sensitivity } = entityOf(entity);
  const share = match?.share ?? observation.embedded[0]?.share;
  const shape = observation.shapes[0]?.shape;
  return {
    column,
    entity,
    kind,
    label,
    confidence: round(confidence),
    sensitivity,
    special_category: isSpecialCategory(entity),
    masking: maskingOf(verdict),
    basis,
    evidence: {
      ...(share === undefined ? {} : { match_share: round(share) }),
      ...(match ? { valid_share: round(match.valid) } : {}),
      ...(shape && basis !== "text inside values" ? { shape } : {}),
      ...(name ? { name_term: name.term } : {}),
      values_seen: observation.present,
    },
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function publish(output: DetectPiiOutput, verdicts: Verdict[], to: { table: string; ctx: ActionContext }): void {
  const { ctx, table } = to;
  const { columns } = output;
  columns.forEach((column, index) => {
    reportColumn(column, verdicts[index]?.observation, to);
  });
  reportClean(output, to);
  if (output.unread.length > 0) reportUnread(output, to);
  ctx.context.set(
    "security.pii",
    columns.map(({ column, entity, confidence, masking }) => ({ column, entity, confidence, masking })),
  );
  const list = columns.slice(0, 6).map(({ column }) => column);
  const more = columns.length > list.length ? `, ${columns.length - list.length} more` : "";
  ctx.summary(
    columns.length === 0
      ? `no personal data found in ${output.columns_looked_at} ${output.columns_looked_at === 1 ? "column" : "columns"} of ${table}`
      : `${columns.length} PII field${columns.length === 1 ? " requires" : "s require"} masking: ${list.join(", ")}${more}`,
  );
  ctx.progress(1, "reported");
}
