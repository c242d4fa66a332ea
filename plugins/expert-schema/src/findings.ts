import type { FindingInit } from "@odg/expert-plugin-api";
import type { Examination } from "./examine.ts";
import type { SchemaReport } from "./output.ts";
import { counted, headline } from "./report.ts";

/** Findings on the table as a whole: what it is, its keys, its references and what depends on what. */
export function tableFindings(examined: Examination, report: SchemaReport): FindingInit[] {
  return [
    validated(examined, report),
    ...declaredKey(examined, report),
    ...missingKey(examined, report),
    ...references(report),
    ...dependencyFindings(report),
  ];
}

function dataset(report: SchemaReport): FindingInit["subject"] {
  return { kind: "dataset", name: report.dataset };
}

function validated({ columns, sampledRows, profile }: Examination, report: SchemaReport): FindingInit {
  const key = report.keys[0];
  const nullable = columns.filter(({ profile: one }) => one.nullCount > 0n).length;
  return {
    rule: "schema.validated",
    severity: "ok",
    subject: dataset(report),
    reason: `The schema was read and checked: ${headline(report)}.`,
    confidence: key ? key.confidence : 0.9,
    evidence: [
      {
        label: "columns",
        text: `${counted(columns.length, "column")}, ${nullable} with NULLs`,
        value: columns.length,
        unit: "columns",
      },
      { label: "rows", text: counted(report.row_count, "row"), value: report.row_count, unit: "rows" },
      key
        ? { label: "key", text: `${key.columns.join(" + ")}: no value occurs twice, none is NULL (${key.checked_on})` }
        : { label: "key", text: "no column or pair of columns is unique" },
      {
        label: "sample",
        text: `${counted(sampledRows, "row")} read for meanings and dependencies`,
        value: sampledRows,
        unit: "rows",
      },
      ...Object.entries(profile.dialect)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => ({ label: `dialect ${name}`, text: JSON.stringify(value) })),
    ],
  };
}

function missingKey({ rowCount }: Examination, report: SchemaReport): FindingInit[] {
  if (report.keys.length > 0 || rowCount < 2) return [];
  const nearest = [...report.columns].sort((a, b) => b.distinct_count - a.distinct_count)[0];
  return [
    {
      rule: "schema.no_key",
      severity: "warning",
      subject: dataset(report),
      reason:
        "Nothing identifies a row: duplicates cannot be told from repetitions, and rows cannot be updated or erased one by one.",
      evidence: [
        { label: "rows", text: counted(rowCount, "row"), value: rowCount, unit: "rows" },
        ...(nearest
          ? [
              {
                label: "most distinct column",
                text: `${nearest.name}: ${counted(nearest.distinct_count, "distinct value")}`,
                value: nearest.distinct_count,
              },
            ]
          : []),
      ],
      remedy: "Add a surrogate key, or name the columns that identify a row in the contract.",
      confidence: 0.85,
    },
  ];
}

/** The key that the contract names, under `keys.primary` or `primary_key`. */
function declaredKey({ info, columns, rowCount }: Examination, report: SchemaReport): FindingInit[] {
  const declared = declaredColumns(info.contract);
  if (declared.length === 0) return [];
  const byName = new Map(columns.map((column) => [column.profile.name, column.profile]));
  const absent = declared.filter((name) => !byName.has(name));
  const nulls = declared.filter((name) => (byName.get(name)?.nullCount ?? 0n) > 0n);
  const single = declared.length === 1 ? byName.get(declared[0] ?? "") : undefined;
  const repeated = single?.distinctExact ? rowCount - Number(single.nullCount) - Number(single.distinctCount) : 0;
  const confirmed = report.keys.some((key) => sameSet(key.columns, declared));
  if (absent.length === 0 && nulls.length === 0 && repeated === 0)
    return confirmed ? [keyConfirmed(report, declared)] : [];
  const faults = [
    ...absent.map((name) => `column ${name} does not exist`),
    ...nulls.map((name) => `column ${name} has ${counted(Number(byName.get(name)?.nullCount), "NULL")}`),
    ...(repeated > 0 ? [`${counted(repeated, "row")} repeat a value of ${declared.join(", ")}`] : []),
  ];
  return [
    {
      rule: "schema.declared_key_broken",
      severity: "error",
      subject: dataset(report),
      reason: `The contract names ${declared.join(" + ")} as the key, but the data do not keep to it.`,
      evidence: faults.map((text) => ({
        label: "fault",
        text,
        ...(info.contractSource ? { file: info.contractSource } : {}),
      })),
      remedy: "Remove the duplicates and NULLs, or correct the contract.",
    },
  ];
}

function keyConfirmed(report: SchemaReport, declared: string[]): FindingInit {
  return {
    rule: "schema.declared_key_holds",
    severity: "ok",
    subject: dataset(report),
    reason: `The key that the contract names, ${declared.join(" + ")}, holds on the data.`,
    evidence: [
      {
        label: "rows",
        text: `${counted(report.row_count, "row")}, as many distinct keys, no NULL`,
        value: report.row_count,
        unit: "rows",
      },
    ],
  };
}

function declaredColumns(contract: Examination["info"]["contract"]): string[] {
  const keys = contract?.keys;
  const nested = keys && typeof keys === "object" && !Array.isArray(keys) ? keys.primary : undefined;
  const declared = nested ?? contract?.primary_key ?? [];
  return (Array.isArray(declared) ? declared : [declared]).filter((name) => typeof name === "string");
}

function sameSet(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

function references(report: SchemaReport): FindingInit[] {
  return report.foreign_keys.map(({ column, dataset: other, referenced_column, values, included }) => {
    const missing = values - included;
    return {
      rule: missing === 0 ? "schema.foreign_key" : "schema.orphan_values",
      severity: missing === 0 ? "info" : "warning",
      subject: { kind: "column", name: `${report.dataset}.${column}` },
      reason:
        missing === 0
          ? `Every value looked up is found once in ${other}.${referenced_column}, which is never NULL: a foreign key.`
          : `It points at ${other}.${referenced_column}, but some values are not there: joins lose these rows.`,
      evidence: [
        {
          label: "inclusion",
          text: `${included.toLocaleString("en-US")} of ${counted(values, "distinct sampled value")} found`,
          value: included / values,
          unit: "share",
        },
      ],
      // Rule of three: with none missing in n, the true share of missing ones is under 3/n with 95 % confidence.
      confidence: missing === 0 ? Math.max(0.5, Math.round((1 - 3 / values) * 100) / 100) : 0.9,
      ...(missing === 0 ? {} : { remedy: `Load the missing rows of ${other}, or reject rows that point nowhere.` }),
    };
  });
}

/** One finding per determinant that is no key. */
export function dependencyFindings(report: SchemaReport): FindingInit[] {
  const keys = report.keys.map((key) => key.columns.join("\0"));
  return report.dependencies
    .filter(({ determinant }) => !keys.includes(determinant))
    .map(({ determinant, dependents, equivalents, groups, rows }) => {
      const right = [...dependents, ...equivalents];
      return {
        rule: "schema.functional_dependency",
        severity: "info",
        subject: { kind: "column", name: `${report.dataset}.${determinant}` },
        reason: `${determinant} determines ${right.join(", ")}: each value is stored once per row and must be changed in all of them.`,
        evidence: [
          { label: "dependency", text: `${determinant} -> ${right.join(", ")}` },
          {
            label: "support",
            text: `${counted(groups, "value")} in ${counted(rows, "sampled row")}, no exception`,
            value: rows,
            unit: "rows",
          },
          {
            label: "normal form",
            text: report.normal_form === "unknown" ? "not known without a key" : report.normal_form,
          },
        ],
        confidence: Math.max(0.5, Math.round((1 - 3 / groups) * 100) / 100),
        remedy: `Keep ${right.join(", ")} in a table of their own with key ${determinant}, unless the repetition is meant for reading.`,
      } satisfies FindingInit;
    });
}
