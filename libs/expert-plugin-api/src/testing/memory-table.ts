import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  type ColumnProfile,
  ColumnProfileSchema,
  type Dataset,
  type DatasetProfile,
  DatasetProfileSchema,
  DatasetSchema,
  DocumentKind,
  Format,
} from "@odg/proto/odg/catalog/v1/dataset_pb";

/** A table for tests, held in memory. All columns have the same length. */
export interface MemoryTable {
  /** By column name; NULL is `null`. */
  columns: Record<
    string,
    {
      type: string;
      values: unknown[] /** Hold the values back from the profile, as an engine does for personal data. */;
      withheld?: string;
    }
  >;
  contract?: JsonObject;
  /** Texts beside the table; the name's ending `.sql` makes it SQL. */
  documents?: Record<string, string>;
  /** Bytes as stored; default 1,000 a row. */
  sizeBytes?: number;
}

/** Row count of a table. */
export function rowCount(table: MemoryTable): number {
  return Object.values(table.columns)[0]?.values.length ?? 0;
}

/** The handle of a table under its URI. */
export function datasetOf(uri: string, table: MemoryTable): Dataset {
  return create(DatasetSchema, {
    uri,
    name: uri.replace(/^.*[/\\]/, "").replace(/\.[a-z]+$/, ""),
    format: Format.PARQUET,
    sizeBytes: BigInt(table.sizeBytes ?? rowCount(table) * 1000),
    fileCount: 1n,
    contract: table.contract,
    contractSource: table.contract ? "contract.yaml" : "",
  });
}

/** Documents of a table. */
export function documentsOf(table: MemoryTable): { name: string; text: string; kind: DocumentKind }[] {
  return Object.entries(table.documents ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => ({ name, text, kind: name.endsWith(".sql") ? DocumentKind.SQL : DocumentKind.CONTRACT }));
}

/** The profile of a table: the same facts that an engine's profile holds, unrounded. */
export function profileOf(uri: string, table: MemoryTable): DatasetProfile {
  return create(DatasetProfileSchema, {
    dataset: datasetOf(uri, table),
    rowCount: BigInt(rowCount(table)),
    columns: Object.entries(table.columns).map(([name, column]) => profileColumn(name, column)),
  });
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)/;

function profileColumn(name: string, column: MemoryTable["columns"][string]): ColumnProfile {
  const present = column.values.filter((value) => value !== null && value !== undefined);
  const counts = countDistinct(present);
  const profile = create(ColumnProfileSchema, {
    name,
    type: column.type,
    nullCount: BigInt(column.values.length - present.length),
    distinctCount: BigInt(counts.length),
    distinctExact: true,
    valuesWithheld: column.withheld ?? "",
  });
  if (NUMERIC.test(column.type)) describeNumbers(profile, present.map(Number));
  const texts = present.filter((value) => typeof value === "string");
  if (column.type === "VARCHAR") describeTexts(profile, texts);
  if (!column.withheld && present.length > 0) {
    const sorted = (NUMERIC.test(column.type) ? present.map(Number) : [...present]).sort(compare);
    profile.min = String(sorted[0]);
    profile.max = String(sorted.at(-1));
    if (counts.length <= 200) profile.topValues = counts.slice(0, 20).map(([value, count]) => value$(value, count));
  }
  return profile;
}

function describeNumbers(profile: ColumnProfile, numbers: number[]): void {
  if (numbers.length === 0) return;
  const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  profile.mean = mean;
  profile.stddev = Math.sqrt(
    numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, numbers.length - 1),
  );
  const sorted = [...numbers].sort((a, b) => a - b);
  profile.quartiles = [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN);
}

function describeTexts(profile: ColumnProfile, texts: string[]): void {
  if (texts.length === 0) return;
  const lengths = texts.map((text) => text.length);
  profile.minLength = BigInt(lengths.reduce((least, one) => Math.min(least, one)));
  profile.maxLength = BigInt(lengths.reduce((most, one) => Math.max(most, one)));
  profile.meanLength = lengths.reduce((sum, one) => sum + one, 0) / lengths.length;
  profile.blankCount = BigInt(texts.filter((text) => text.trim() === "").length);
  profile.shapes = countDistinct(texts.map(shapeOf))
    .slice(0, 10)
    .map(([value, count]) => value$(value, count));
}

function value$(value: unknown, count: number) {
  return { $typeName: "odg.catalog.v1.ValueCount" as const, value: String(value), count: BigInt(count) };
}

function shapeOf(text: string): string {
  return text
    .replace(/\p{Lu}/gu, "A")
    .replace(/\p{L}(?<!A)/gu, "a")
    .replace(/\p{Nd}/gu, "9");
}

/** Values and their counts, most frequent first, ties by value. */
export function countDistinct(values: unknown[]): [unknown, number][] {
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || compare(a, b));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : 1;
}
