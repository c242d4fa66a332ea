import type { ActionContext, EvidenceInit, SeverityName } from "@odg/expert-plugin-api";
import type { Observation } from "./observe.ts";
import type { DetectPiiOutput, PiiColumn } from "./output.ts";

type To = { table: string; ctx: ActionContext };

const SEVERITY: readonly SeverityName[] = ["warning", "warning", "error", "critical"];
const REMEDY: Record<PiiColumn["masking"], string> = {
  hash: "Publish a keyed hash instead: joins still work, the value is gone",
  tokenise: "Replace it by a token whose table only the owner may read",
  generalise: "Publish it coarser (year, area, network) than it is stored",
  drop: "Leave it out of everything that is published",
};

const percent = (share: number): string =>
  share > 0 && share < 0.001 ? "< 0.1 %" : `${Math.round(share * 1000) / 10} %`;

/** The finding of one column with personal data; its evidence holds shares, shapes and names, never a value. */
export function reportColumn(column: PiiColumn, observation: Observation | undefined, { table, ctx }: To): void {
  const unlooked = column.entity === "unscanned";
  ctx.finding({
    rule: unlooked
      ? "security.unscanned_column"
      : column.kind === "credential"
        ? "security.credential_column"
        : "security.pii_column",
    severity: SEVERITY[column.sensitivity] ?? "error",
    subject: { kind: "column", name: `${table}.${column.column}` },
    reason: reasonOf(column),
    evidence: evidenceOf(column, observation),
    confidence: column.confidence,
    remedy: `${REMEDY[column.masking]}: see masked_view_sql in the output.`,
  });
}

function reasonOf({ column, label, basis, special_category }: PiiColumn): string {
  const article = special_category ? ", a special category of GDPR Article 9" : "";
  switch (basis) {
    case "values and name":
      return `Values and name show that ${column} holds: ${label}${article}.`;
    case "values":
      return `The values of ${column} show that it holds: ${label}${article}.`;
    case "name":
      return `The name of ${column} says that it holds: ${label}${article}; its values do not object.`;
    case "text inside values":
      return `Texts in ${column} have inside them: ${label}${article}.`;
    case "not looked at":
      return `The values of ${column} could not be looked at, so that it is treated as personal data.`;
  }
}

function evidenceOf({ evidence, basis }: PiiColumn, observation: Observation | undefined): EvidenceInit[] {
  const list: EvidenceInit[] = [];
  const { match_share, valid_share, shape, name_term, values_seen } = evidence;
  if (match_share !== undefined) {
    const text = `${percent(match_share)} of ${values_seen.toLocaleString("en")} values have its form`;
    list.push({ label: "match share", text, value: match_share, unit: "share" });
  }
  if (valid_share !== undefined && basis !== "name") {
    const text = `${percent(valid_share)} of the distinct ones pass its check digits or rules`;
    list.push({ label: "valid share", text, value: valid_share, unit: "share" });
  }
  if (shape) {
    const share = observation?.shapes[0]?.share ?? 0;
    list.push({ label: "shape", text: `${shape} in ${percent(share)} of the values` });
  }
  if (name_term) list.push({ label: "name", text: `the column's name says "${name_term}"` });
  if (values_seen === 0) {
    list.push({ label: "values", text: "no value could be read, which lowers the confidence", value: 0, unit: "rows" });
  }
  return list;
}

/** One finding for what was looked at and found clean. */
export function reportClean(output: DetectPiiOutput, { table, ctx }: To): void {
  const { clean_columns, rows_looked_at, row_count } = output;
  if (clean_columns.length === 0 && output.columns.length > 0) return;
  const rows = rows_looked_at.toLocaleString("en");
  const sampled =
    rows_looked_at < row_count
      ? `a seeded sample of ${rows} of ${row_count.toLocaleString("en")} rows`
      : `all ${rows} rows`;
  const named = clean_columns.slice(0, 20).join(", ");
  const more = clean_columns.length > 20 ? ` and ${clean_columns.length - 20} more` : "";
  ctx.finding({
    rule: "security.clean_columns",
    severity: "ok",
    subject: { kind: "dataset", name: table },
    reason: `${clean_columns.length} columns were looked at and hold no personal data that this expert knows.`,
    evidence: [
      {
        label: "columns",
        text: named ? named + more : "the dataset has no columns",
        value: clean_columns.length,
        unit: "columns",
      },
      { label: "rows", text: sampled, value: rows_looked_at, unit: "rows" },
    ],
  });
}

/** The scan was not complete. */
export function reportUnread({ unread }: DetectPiiOutput, { table, ctx }: To): void {
  ctx.finding({
    rule: "security.scan_incomplete",
    severity: "error",
    subject: { kind: "dataset", name: table },
    reason: "Not every column could be looked at; those left over are treated as personal data.",
    evidence: [{ label: "columns", text: unread.slice(0, 20).join(", "), value: unread.length, unit: "columns" }],
    remedy: "Run detect_pii again with a larger budget_ms or fewer sample_rows.",
  });
}
