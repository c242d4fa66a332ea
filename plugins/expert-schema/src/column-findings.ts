import type { FindingInit } from "@odg/expert-plugin-api";
import type { Examination, ExaminedColumn } from "./examine.ts";
import type { SchemaReport, TypedText } from "./output.ts";
import { counted } from "./report.ts";
import { namesMoney } from "./semantic.ts";

/** A column that is NULL in this share of rows or more has hardly a type: the rest may be errors. */
const MOSTLY_NULL = 0.95;
/** From this share of one spelling on, the other texts look like errors and not like free text. */
const DOMINANT = 0.8;
/** Findings of one rule that are listed one by one; beyond, they become one finding with their count. */
const LISTED = 12;

/** Findings on single columns: types that do not fit, and columns that say nothing. */
export function columnFindings(examined: Examination, report: SchemaReport): FindingInit[] {
  const found: FindingInit[] = [...duplicateNames(examined)];
  const typed = new Map(report.typed_texts.map((one) => [one.column, one]));
  for (const column of examined.columns) {
    const subject = { kind: "column", name: `${report.dataset}.${column.profile.name}` };
    const checks = [
      typedText(typed.get(column.profile.name), column),
      mixedText(column),
      codeKept(column),
      emptiness(column, examined.rowCount),
      constant(column, examined.rowCount),
      naiveTimestamp(column, examined.columns),
      floatMoney(column),
    ];
    for (const check of checks) if (check) found.push({ ...check, subject });
  }
  return condense(found, report.dataset);
}

type Check = Omit<FindingInit, "subject"> | undefined;

const AS: Partial<Record<string, string>> = {
  integer: "BIGINT",
  decimal: "DECIMAL",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
  uuid: "UUID",
  json: "JSON",
};

function typedText(typed: TypedText | undefined, { verdict }: ExaminedColumn): Check {
  // Phone numbers, postal codes and card numbers are written in digits and are no numbers.
  if (!typed || ["phone", "postal_code", "national_id", "card_number", "code", "id"].includes(verdict.semantic))
    return undefined;
  return {
    rule: "schema.typed_text",
    severity: "warning",
    reason: `Every text is ${article(typed.type)}${typed.format ? ` (${typed.format})` : ""}: as text it sorts wrongly, takes more room and accepts anything.`,
    evidence: [
      {
        label: "texts",
        text: `${counted(typed.texts, "sampled text")}, all ${typed.type}; no exception in ${typed.checked_on}`,
        value: 1,
        unit: "share",
      },
    ],
    remedy: `Store it as ${AS[typed.type] ?? typed.type}.`,
    confidence:
      typed.checked_on === "all rows" ? 0.95 : Math.max(0.5, Math.round((0.95 - 3 / typed.texts) * 100) / 100),
  };
}

function article(type: string): string {
  return type === "integer" ? "an integer" : `a ${type}`;
}

function mixedText({ logical, facts }: ExaminedColumn): Check {
  if (!logical || logical.type === "text") return undefined;
  const mixedOrders = logical.format === "mixed orders";
  if (!mixedOrders && (logical.share >= 1 || logical.share < DOMINANT)) return undefined;
  const rest = Math.round(logical.texts * (1 - logical.share));
  if (!mixedOrders && rest === 0) return undefined;
  return {
    rule: "schema.mixed_types",
    severity: "warning",
    reason: mixedOrders
      ? "Dates stand in different orders of day and month: some are read as another day."
      : `Most texts spell ${article(logical.type)}, others do not: conversion fails or loses them.`,
    evidence: Object.entries(
      mixedOrders ? (facts?.texts?.spelling.dateOrder ?? {}) : (facts?.texts?.spelling.spelled ?? {}),
    )
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .map(([kind, count]) => ({ label: kind, text: `${counted(count, "sampled text")}`, value: count, unit: "rows" })),
    remedy: mixedOrders
      ? "Agree on year-month-day and rewrite the others."
      : `Correct or set aside the texts that are no ${logical.type}.`,
    confidence: 0.9,
  };
}

function codeKept({ logical, verdict }: ExaminedColumn): Check {
  if (logical?.type !== "code" || logical.share < 1 || !["code", "id"].includes(verdict.semantic)) return undefined;
  return {
    rule: "schema.code_not_number",
    severity: "info",
    reason: "The texts are digits, but some begin with zero or exceed 64 bits: as a number they would be changed.",
    evidence: [
      {
        label: "texts",
        text: `${counted(logical.texts, "sampled text")}, all digits`,
        value: logical.texts,
        unit: "rows",
      },
    ],
    remedy: "Keep it as text in every reader, CSV export and spreadsheet.",
    confidence: 0.95,
  };
}

function emptiness({ profile }: ExaminedColumn, rowCount: number): Check {
  const nulls = Number(profile.nullCount);
  if (rowCount === 0 || nulls / rowCount < MOSTLY_NULL) return undefined;
  const all = nulls === rowCount;
  return {
    rule: all ? "schema.empty_column" : "schema.mostly_null",
    severity: all ? "warning" : "info",
    reason: all
      ? "The column holds no value at all."
      : "The column is almost always NULL: what is known of its type rests on few rows.",
    evidence: [
      {
        label: "NULLs",
        text: `${counted(nulls, "row")} of ${rowCount.toLocaleString("en-US")}`,
        value: nulls / rowCount,
        unit: "share",
      },
    ],
    remedy: "Drop it, or find out where its values are lost.",
  };
}

function constant({ profile }: ExaminedColumn, rowCount: number): Check {
  if (rowCount < 10 || profile.distinctCount !== 1n || profile.nullCount > 0n) return undefined;
  return {
    rule: "schema.constant_column",
    severity: "info",
    reason: "Every row holds the same value: it tells no row from another.",
    evidence: [{ label: "distinct values", text: `1 in ${counted(rowCount, "row")}`, value: 1 }],
    remedy: "Say it once in the contract, or check that the filter before it was meant.",
    confidence: profile.distinctExact ? 1 : 0.95,
  };
}

function naiveTimestamp({ profile, verdict }: ExaminedColumn, columns: ExaminedColumn[]): Check {
  if (
    verdict.semantic !== "timestamp_without_zone" ||
    / (utc|gmt) /.test(` ${profile.name.replace(/[^a-z]+/gi, " ").toLowerCase()} `)
  )
    return undefined;
  const places = columns.find((one) => one.verdict.semantic === "country" && one.profile.distinctCount > 1n);
  return {
    rule: "schema.timestamp_without_zone",
    severity: places ? "warning" : "info",
    reason: places
      ? "The times do not say their zone, and the rows come from several countries: the same moment may stand under different times."
      : "The times do not say their zone: readers in another zone take them for other moments.",
    evidence: [
      { label: "type", text: profile.type },
      ...(places
        ? [
            {
              label: "countries",
              text: `${places.profile.name}: ${counted(Number(places.profile.distinctCount), "country")}`.replace(
                /countrys$/,
                "countries",
              ),
              value: Number(places.profile.distinctCount),
            },
          ]
        : []),
    ],
    remedy: "Store TIMESTAMP WITH TIME ZONE, or say in the contract that all times are UTC.",
    confidence: places ? 0.8 : 0.6,
  };
}

function floatMoney({ profile }: ExaminedColumn): Check {
  if (!/^(FLOAT|DOUBLE|REAL)/.test(profile.type) || !namesMoney(profile.name)) return undefined;
  return {
    rule: "schema.float_money",
    severity: "warning",
    reason:
      "By its name it holds money, but binary fractions cannot hold cents: sums are off and depend on the order of rows.",
    evidence: [{ label: "type", text: profile.type }],
    remedy: "Store it as DECIMAL with the digits of the currency (ISO 4217 gives two for most).",
    confidence: 0.85,
  };
}

function duplicateNames({ info, profile }: Examination): FindingInit[] {
  const byFolded = new Map<string, string[]>();
  for (const { name } of profile.columns) {
    const folded = name.trim().toLowerCase();
    byFolded.set(folded, [...(byFolded.get(folded) ?? []), name]);
  }
  return [...byFolded.values()]
    .filter((names) => names.length > 1)
    .map((names) => ({
      rule: "schema.duplicate_names",
      severity: "warning",
      subject: { kind: "column", name: `${info.name}.${names[0]}` },
      reason: "Column names differ in case or white space only: most SQL engines take them for one.",
      evidence: [{ label: "names", text: names.map((name) => JSON.stringify(name)).join(", "), value: names.length }],
      remedy: "Rename all but one.",
    }));
}

/** Many findings of one rule become one that counts them: a table of 2,000 columns has to stay readable. */
function condense(found: FindingInit[], table: string): FindingInit[] {
  const byRule = new Map<string, FindingInit[]>();
  for (const one of found) byRule.set(one.rule, [...(byRule.get(one.rule) ?? []), one]);
  return [...byRule.values()].flatMap((same) => {
    const first = same[0];
    if (!first || same.length <= LISTED) return same;
    const names = same.map(({ subject }) => subject.name.slice(table.length + 1));
    return [
      {
        ...first,
        subject: { kind: "dataset", name: table },
        evidence: [
          {
            label: "columns",
            text: `${counted(same.length, "column")}: ${names.slice(0, LISTED).join(", ")} …`,
            value: same.length,
            unit: "columns",
          },
        ],
      },
    ];
  });
}
