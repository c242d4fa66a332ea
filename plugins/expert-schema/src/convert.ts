import * as z from "zod";
import type { SchemaReport } from "./output.ts";

/** Answer of `infer_types`. */
export const InferredTypes = z.object({
  dataset: z.string(),
  columns: z.array(
    z.object({
      name: z.string(),
      /** DuckDB's type as stored. */
      type: z.string(),
      /** The type that the values have. */
      inferred: z.string(),
      /** DuckDB expression that reads the column as that type; the column itself where nothing is to be done. */
      sql: z.string(),
    }),
  ),
  /** Columns whose inferred type is not the stored one. */
  changed: z.array(z.string()),
});

export type InferredTypes = z.infer<typeof InferredTypes>;

const TARGETS: Record<string, string> = {
  integer: "BIGINT",
  decimal: "DECIMAL(38, 9)",
  boolean: "BOOLEAN",
  timestamp: "TIMESTAMP",
  date: "DATE",
  uuid: "UUID",
  json: "JSON",
};

const DATE_FORMATS: Record<string, string> = { "day-month-year": "%d/%m/%Y", "month-day-year": "%m/%d/%Y" };

/** The types that columns have by their values, with the SQL that reads them so. Blank texts become NULL. */
export function inferTypes(report: SchemaReport): InferredTypes {
  const typed = new Map(report.typed_texts.map((one) => [one.column, one]));
  const columns = report.columns.map(({ name, type }) => {
    const found = typed.get(name);
    const target = found && TARGETS[found.type];
    const format = found?.format;
    // A day and a month that cannot be told apart must not be guessed.
    if (!found || !target || format === "day and month cannot be told apart") {
      return { name, type, inferred: type, sql: quoted(name) };
    }
    return { name, type, inferred: zoned(target, format), sql: conversion(name, zoned(target, format), format) };
  });
  return {
    dataset: report.dataset,
    columns,
    changed: columns.filter(({ type, inferred }) => type !== inferred).map(({ name }) => name),
  };
}

function zoned(target: string, format?: string): string {
  return format === "ISO 8601 with zone" ? "TIMESTAMP WITH TIME ZONE" : target;
}

function conversion(name: string, target: string, format?: string): string {
  const text = `nullif(trim(${quoted(name)}), '')`;
  const pattern = format && DATE_FORMATS[format];
  if (pattern) return `strptime(regexp_replace(${text}, '[-.]', '/', 'g'), '${pattern}')::DATE`;
  return `TRY_CAST(${format === "decimal comma" ? `replace(${text}, ',', '.')` : text} AS ${target})`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
