import type { Examination, ExaminedColumn } from "./examine.ts";
import type { SchemaColumn, SchemaReport } from "./output.ts";
import { PERSONAL } from "./semantic.ts";

/** The answer of `analyze_schema`. */
export function schemaReport(examined: Examination): SchemaReport {
  const { info, rowCount, sampledRows, keys, references, dependencies, typedTexts } = examined;
  return {
    dataset: info.name,
    row_count: rowCount,
    sampled_rows: sampledRows,
    columns: examined.columns.map((column) => columnOf(column, rowCount)),
    keys,
    foreign_keys: references.references,
    dependencies,
    typed_texts: typedTexts,
    normal_form: normalForm(examined),
    pii_candidates: examined.columns
      .filter(({ verdict }) => PERSONAL.has(verdict.semantic))
      .map(({ profile }) => profile.name),
  };
}

/** The headline: `15 columns, 200,000 rows, key transaction_id, 3 PII candidates`. */
export function headline(report: SchemaReport): string {
  const key = report.keys[0];
  const parts = [
    counted(report.columns.length, "column"),
    counted(report.row_count, "row"),
    key ? `key ${key.columns.join(" + ")}` : "no key",
  ];
  if (report.pii_candidates.length > 0) parts.push(counted(report.pii_candidates.length, "PII candidate"));
  return parts.join(", ");
}

/** `1 row`, `2,000 rows`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

function columnOf({ profile, logical, verdict }: ExaminedColumn, rowCount: number): SchemaColumn {
  const nulls = Number(profile.nullCount);
  const spelled = logical && logical.share === 1 ? logical.type : undefined;
  return {
    name: profile.name,
    type: profile.type,
    logical_type: spelled ?? (profile.type === "VARCHAR" ? "text" : profile.type.toLowerCase()),
    semantic: verdict.semantic,
    because: verdict.because,
    nullable: nulls > 0,
    null_share: rowCount === 0 ? 0 : Math.round((nulls / rowCount) * 1e6) / 1e6,
    distinct_count: Number(profile.distinctCount),
    distinct_exact: profile.distinctExact,
  };
}

/**
 * The highest normal form that nothing seen contradicts (Codd 1971): lists break the first, a dependency on a part of the
 * key the second, one on a column outside of every key the third.
 */
function normalForm({ columns, keys, dependencies }: Examination): SchemaReport["normal_form"] {
  if (columns.some(({ profile }) => profile.name.includes("[]") || profile.type.endsWith("[]"))) return "none";
  if (keys.length === 0) return "unknown";
  const prime = new Set(keys.flatMap((key) => key.columns));
  const breaking = dependencies.filter(({ dependents, equivalents }) =>
    [...dependents, ...equivalents].some((name) => !prime.has(name)),
  );
  if (breaking.some(({ determinant }) => prime.has(determinant))) return "1NF";
  return breaking.length > 0 ? "2NF" : "3NF";
}
