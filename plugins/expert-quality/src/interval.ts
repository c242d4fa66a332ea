/**
 * Two-sided confidence of every interval here. Deequ proposes with 95 %; a suite of a hundred expectations would then
 * raise several false alarms on every good batch, so that each one gets 99.9 %.
 */
export const CONFIDENCE = 0.999;

/** Standard normal quantile of {@link CONFIDENCE}. */
const Z = 3.2905;

/**
 * A batch to be checked later is assumed to have at most this many rows: an interval from more rows would be narrower
 * than the noise of the batch.
 */
const BATCH_ROWS = 10_000;

/** An interval for a share. */
export interface Interval {
  low: number;
  high: number;
}

/**
 * Wilson's score interval for a share (Wilson 1927), as Deequ's WilsonScoreIntervalStrategy. It also bounds shares of 0 and 1.
 *
 * @param share From 0 to 1.
 * @param rows Rows that the share was counted on.
 */
export function wilson(share: number, rows: number): Interval {
  const n = Math.min(rows, BATCH_ROWS);
  if (n <= 0) return { low: 0, high: 1 };
  const z2 = Z * Z;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** `mostly` in whole hundredths, rounded down: the schema of Great Expectations allows no finer step. */
export function mostlyOf(low: number): number {
  return Math.max(0, Math.floor(low * 100 + 1e-9) / 100);
}

/**
 * Ranks between which the quantile of another batch lies: the binomial error of both samples, and two hundredths of room
 * for drift.
 */
export function quantileRanks(level: number, rows: number): Interval {
  const n = Math.min(rows, BATCH_ROWS);
  const half = Z * Math.sqrt((2 * level * (1 - level)) / Math.max(1, n)) + 0.02;
  return { low: Math.max(0, level - half), high: Math.min(1, level + half) };
}

/** Room for the mean of another batch: its standard error and that of this one, and a tenth of a standard deviation for drift. */
export function meanSlack(stddev: number, rows: number): number {
  return Z * stddev * Math.sqrt(2 / Math.max(1, Math.min(rows, BATCH_ROWS))) + 0.1 * stddev;
}

/** A bound rounded away from the data to three significant digits: no single value can be read off it. */
export function outwards(value: number, direction: "down" | "up"): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const steps = direction === "down" ? Math.floor(value / step + 1e-9) : Math.ceil(value / step - 1e-9);
  return Number((steps * step).toPrecision(12));
}
