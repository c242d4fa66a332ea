import { type ColumnProfile, type DatasetProfile, Format } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { formatBytes, formatCount, formatNumber, formatShare, plural } from "./quantity.ts";
import { clip, visible, visibleProse } from "./visible.ts";

/** A dataset in words; every text is free of unseen characters, and not yet escaped for any format. */
export interface DatasetView {
  name: string;
  uri: string;
  /** `200,000 rows × 15 columns`. */
  shape: string;
  /** `14.3 MB Parquet in 1 file`. */
  storage: string;
  /** How a text file was parsed: `delimiter ","`; empty for other formats. */
  dialect: string;
  /** File of the data contract; empty where there is none. */
  contract: string;
  columns: ColumnView[];
}

/** One column in words. */
export interface ColumnView {
  name: string;
  type: string;
  /** Share of NULLs, from 0 to 1. */
  nullShare: number;
  nulls: string;
  /** `≈` stands before an estimate. */
  distinct: string;
  /** Smallest to largest value, or the lengths of the texts; empty where neither is known. */
  range: string;
  /** Why its values are withheld; empty where they are not. */
  withheld: string;
  chart: Chart;
}

/** What can be drawn of a column. */
export type Chart =
  | { kind: "histogram"; counts: number[]; low: string; high: string }
  | { kind: "top"; bars: { label: string; share: number }[]; shapes: boolean }
  | { kind: "shares"; nullShare: number; distinctShare: number };

const FORMATS: Record<Format, string> = {
  [Format.UNSPECIFIED]: "",
  [Format.PARQUET]: "Parquet",
  [Format.CSV]: "CSV",
  [Format.JSON]: "JSON",
};

const TOP_BARS = 4;

/** The words and the charts of a profile. A withheld column shows no value, whatever its profile holds. */
export function viewDataset(profile: DatasetProfile): DatasetView {
  const { dataset } = profile;
  const rows = Number(profile.rowCount);
  const format = FORMATS[dataset?.format ?? Format.UNSPECIFIED] ?? "";
  const dialect = Object.entries(profile.dialect).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: visible(dataset?.name || dataset?.uri || "dataset"),
    uri: visible(dataset?.uri ?? ""),
    shape: `${plural(rows, "row")} × ${plural(profile.columns.length, "column")}`,
    storage: `${formatBytes(dataset?.sizeBytes ?? 0n)} ${format} in ${plural(Number(dataset?.fileCount ?? 1n), "file")}`,
    dialect: dialect.map(([key, value]) => `${visible(key)} ${JSON.stringify(visible(value))}`).join(", "),
    contract: visible(dataset?.contractSource ?? ""),
    columns: profile.columns.map((column) => viewColumn(column, rows)),
  };
}

function viewColumn(column: ColumnProfile, rows: number): ColumnView {
  const withheld = visibleProse(column.valuesWithheld);
  return {
    name: visible(column.name),
    type: visible(column.type),
    nullShare: share(column.nullCount, rows),
    nulls: formatShare(share(column.nullCount, rows)),
    distinct: (column.distinctExact ? "" : "≈ ") + formatCount(column.distinctCount),
    range: withheld === "" ? range(column) : lengths(column),
    withheld,
    chart: chart(column, rows),
  };
}

function range(column: ColumnProfile): string {
  if (column.min === "" && column.max === "") return lengths(column);
  return `${value(column.min)} – ${value(column.max)}`;
}

function lengths(column: ColumnProfile): string {
  const { minLength, maxLength } = column;
  if (minLength === undefined || maxLength === undefined) return "";
  if (minLength === maxLength) return plural(Number(minLength), "character");
  return `${formatCount(minLength)} – ${formatCount(maxLength)} characters`;
}

/** Separators from five digits on: a year stays a year. */
function value(text: string): string {
  const plain = /^-?\d{5,15}(\.\d+)?$/u.test(text);
  return plain ? formatNumber(Number(text)) : clip(visibleProse(text), 40);
}

function chart(column: ColumnProfile, rows: number): Chart {
  const { histogram } = column;
  const open = column.valuesWithheld === "";
  if (open && histogram?.counts.some((count) => count > 0n)) {
    const edge = histogram.isTime ? day : formatNumber;
    const counts = histogram.counts.map(Number);
    return { kind: "histogram", counts, low: edge(histogram.low), high: edge(histogram.high) };
  }
  const values = open && column.topValues.length > 0 ? column.topValues : open ? column.shapes : [];
  if (values.length > 0) {
    const bars = values.slice(0, TOP_BARS).map((top) => ({ label: visible(top.value), share: share(top.count, rows) }));
    return { kind: "top", bars, shapes: values === column.shapes };
  }
  const nullShare = share(column.nullCount, rows);
  return { kind: "shares", nullShare, distinctShare: Math.min(share(column.distinctCount, rows), 1 - nullShare) };
}

function day(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString().slice(0, 10);
}

function share(count: bigint, rows: number): number {
  return rows === 0 ? 0 : Math.min(1, Number(count) / rows);
}
