import { outwards, quantileRanks } from "./interval.ts";
import { comparable, type Kind } from "./kinds.ts";
import { type ShapePattern, shapePattern } from "./shape.ts";

/** A column to measure. */
export interface MeasuredColumn {
  name: string;
  kind: Kind;
  /** Whether values may not leave: then only counts and shapes are measured. */
  withheld: boolean;
}

/** What the sample says of a column. No value of a single row: bounds are rounded outwards. */
export interface Measure {
  name: string;
  present: number;
  distinct: number;
  numbers?: NumberMeasure;
  texts?: TextMeasure;
}

/** Of a column of numbers. */
export interface NumberMeasure {
  /** Quantiles with the bounds that another batch should keep; empty where parts of the sample differ among themselves. */
  quantiles: { level: number; low: number; high: number }[];
  /** Values beyond Tukey's far-out fences, three interquartile ranges from the quartiles, on the plain and on the log scale. */
  outliers: number;
  /** The fences, rounded outwards. */
  fences: { low: number; high: number };
  /** Whether parts of the sample, in the order read, differ more than chance allows. */
  drifts: boolean;
  nonFinite: number;
}

/** Of a column of texts. */
export interface TextMeasure {
  pattern?: ShapePattern;
  /** Texts that stand for NULL: NA, null, none … */
  nullWords: number;
  /** Texts with white space at either end. */
  padded: number;
}

const LEVELS = [0.25, 0.5, 0.75];
/** Fewer distinct numbers are categories; quantiles of them jump. */
const LEAST_DISTINCT = 20;
/** Fewer rows tell no quantile. */
const LEAST_ROWS = 200;
const PARTS = 4;
const NULL_WORD = /^(na|n\/a|n\.a\.|null|none|nil|nan|-|--|#n\/a|\\n|undefined)$/i;

/** Measures one column of the sample. */
export function measure(column: MeasuredColumn, values: readonly unknown[]): Measure {
  const counts = new Map<unknown, number>();
  let present = 0;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    present += 1;
    const key = typeof value === "object" ? JSON.stringify(value) : value;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const result: Measure = { name: column.name, present, distinct: counts.size };
  if (column.kind === "number" && !column.withheld) result.numbers = numberMeasure(values, counts.size);
  if (column.kind === "text") result.texts = textMeasure(counts);
  return result;
}

function numberMeasure(values: readonly unknown[], distinct: number): NumberMeasure {
  const all = values.map((value) => comparable(value, "number")).filter((value) => value !== null) as number[];
  const numbers = all.filter((value) => Number.isFinite(value));
  const sorted = Float64Array.from(numbers).sort();
  const { low, high, outliers } = farOut(sorted);
  const enough = numbers.length >= LEAST_ROWS && distinct >= LEAST_DISTINCT;
  const bounds = enough ? quantileBounds(sorted) : [];
  const drifts = bounds.length > 0 && partsDiffer(numbers, bounds);
  return {
    quantiles: drifts ? [] : bounds,
    outliers,
    fences: { low, high },
    drifts,
    nonFinite: all.length - numbers.length,
  };
}

/** The value at a rank from 0 to 1, of sorted numbers. */
export function quantile(sorted: Float64Array | readonly number[], level: number): number {
  const index = Math.min(sorted.length - 1, Math.max(0, Math.round(level * (sorted.length - 1))));
  return sorted[index] ?? Number.NaN;
}

function quantileBounds(sorted: Float64Array): NumberMeasure["quantiles"] {
  return LEVELS.map((level) => {
    const ranks = quantileRanks(level, sorted.length);
    return {
      level,
      low: outwards(quantile(sorted, ranks.low), "down"),
      high: outwards(quantile(sorted, ranks.high), "up"),
    };
  });
}

/** A column that grows or changes with the order of the rows will leave any bounds: better none than false alarms. */
function partsDiffer(numbers: number[], bounds: NumberMeasure["quantiles"]): boolean {
  const size = Math.floor(numbers.length / PARTS);
  for (let part = 0; part < PARTS; part += 1) {
    const sorted = Float64Array.from(numbers.slice(part * size, (part + 1) * size)).sort();
    for (const { level, low, high } of bounds) {
      const value = quantile(sorted, level);
      if (value < low || value > high) return true;
    }
  }
  return false;
}

/** Tukey's far-out fences (Exploratory Data Analysis, 1977). A positive value must also be far out of the logarithms: prices are skewed. */
function farOut(sorted: Float64Array): { low: number; high: number; outliers: number } {
  if (sorted.length < 20) return { low: -Number.MAX_VALUE, high: Number.MAX_VALUE, outliers: 0 };
  const [plainLow, plainHigh] = fences(sorted);
  let [low, high] = [plainLow, plainHigh];
  if ((sorted[0] ?? 0) > 0) {
    const [logLow, logHigh] = fences(sorted.map(Math.log)).map(Math.exp) as [number, number];
    // A fence beyond all numbers keeps none out, but infinity cannot travel as JSON.
    [low, high] = [Math.min(plainLow, logLow), Math.min(Math.max(plainHigh, logHigh), Number.MAX_VALUE)];
  }
  // Without spread between the quartiles every other value would be an outlier.
  if (plainLow === plainHigh) return { low: plainLow, high: plainHigh, outliers: 0 };
  let outliers = 0;
  for (const value of sorted) if (value < low || value > high) outliers += 1;
  return { low: outwards(low, "down"), high: outwards(high, "up"), outliers };
}

function fences(sorted: Float64Array): [number, number] {
  const [q1, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  return [q1 - 3 * (q3 - q1), q3 + 3 * (q3 - q1)];
}

function textMeasure(counts: Map<unknown, number>): TextMeasure {
  const texts = [...counts].filter((entry): entry is [string, number] => typeof entry[0] === "string");
  const countWhere = (holds: (text: string) => boolean) =>
    texts.reduce((sum, [text, count]) => (holds(text) ? sum + count : sum), 0);
  const pattern = shapePattern(texts.filter(([text]) => text.trim() !== ""));
  return {
    ...(pattern ? { pattern } : {}),
    nullWords: countWhere((text) => text.length < 12 && NULL_WORD.test(text.trim())),
    padded: countWhere((text) => text.trim() !== "" && text !== text.trim()),
  };
}
