import type { LeafKind } from "./leaves.ts";

const DIGITS = 3;

/** A number rounded down (`-1`) or up (`1`) to three significant digits. */
export function roundOutwards(value: number, direction: -1 | 1): number {
  if (!Number.isFinite(value) || Number(value.toPrecision(DIGITS)) === value) return value;
  const exponent = Math.floor(Math.log10(Math.abs(value))) - (DIGITS - 1);
  const toGrid = direction < 0 ? Math.floor : Math.ceil;
  // Multiplying by a negative power loses digits (1e-3 is inexact), so the grid is reached by division there.
  const rounded =
    exponent >= 0 ? toGrid(value / 10 ** exponent) * 10 ** exponent : toGrid(value * 10 ** -exponent) / 10 ** -exponent;
  return Number.isFinite(rounded) ? rounded : value;
}

/** A time in milliseconds since the epoch, moved back to the start of its month (`-1`), or on to that of the next (`1`). */
export function roundToMonth(ms: number, direction: -1 | 1): number {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return ms;
  const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  if (direction < 0 || start === ms) return start;
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** A month as people write it: `2026-11`. */
export function monthText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(/-\d\dT.*$/, "");
}

/** A statistic to six significant digits: enough to read, and equal on every run whatever the order of the sums. */
export function roundStatistic(value: number): number {
  return Number(value.toPrecision(6));
}

/** Edges of a column's histogram, rounded so that they point at no row; undefined where there is no width. */
export function binEdges(
  kind: LeafKind,
  min = Number.NaN,
  max = Number.NaN,
): { low: number; high: number } | undefined {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined;
  const round = kind === "time" ? roundToMonth : roundOutwards;
  const edges = { low: round(min, -1), high: round(max, 1) };
  return Number.isFinite(edges.high - edges.low) && edges.high > edges.low ? edges : undefined;
}
