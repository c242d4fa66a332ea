import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DatasetError } from "./dataset-error.ts";
import type { CountedValue } from "./disclosure.ts";
import type { Duck, Row } from "./duck.ts";
import type { Leaf } from "./leaves.ts";
import { namesIdentifier, personalWord } from "./name-taxonomy.ts";
import { binEdges } from "./rounding.ts";
import { rowsOf, type Source, sampleOf } from "./source.ts";

/** What SQL tells about one leaf. Values are raw: they are judged before they leave. */
export interface LeafStatistics {
  readonly nullCount: number;
  readonly filled: number;
  readonly distinct: number;
  readonly distinctExact: boolean;
  /** Smallest and largest: numbers, or milliseconds since the epoch. */
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly stddev?: number;
  readonly quartiles: readonly number[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly meanLength?: number;
  readonly blankCount: number;
  /** All distinct values, where they are few. */
  readonly values?: readonly CountedValue[];
  /** Rows per bin between `binEdges`. */
  readonly bins?: readonly number[];
}

/** Bins of a histogram. */
export const BINS = 24;
/** Leaves that one statement measures. */
const CHUNK = 48;
/** Beyond this many rows one column at a time is grouped: it is faster, and holds the values of one column only. */
const MANY_ROWS = 100_000;
/** Columns with at most this many distinct values have all of them counted. HyperLogLog errs by some percent, hence the margin. */
const FEW = 300;
/** Beyond this many rows distinct values are estimated, but for columns that look unique or have few. */
const EXACT_ROWS = 20_000_000;
/** Quartiles come from all rows up to this number, else from a sample of it. */
const QUARTILE_ROWS = 5_000_000;

interface Measured {
  readonly leaf: Leaf;
  readonly first: Row;
}

/** Statistics of every leaf, in their order. */
export async function measure(duck: Duck, source: Source): Promise<LeafStatistics[]> {
  const measured: LeafStatistics[] = new Array(source.leaves.length);
  for (const group of groups(source.leaves)) {
    const firsts = await firstPass(duck, source, group.leaves);
    const stats = await secondPass(duck, source, firsts);
    for (const [i, at] of group.positions.entries()) {
      const one = stats[i];
      if (one) measured[at] = one;
    }
  }
  return measured;
}

interface Group {
  readonly leaves: readonly Leaf[];
  readonly positions: readonly number[];
}

/** Leaves that share rows are measured together; the elements of a list have rows of their own. */
function groups(leaves: readonly Leaf[]): Group[] {
  const all: { leaves: Leaf[]; positions: number[] }[] = [];
  let open: { leaves: Leaf[]; positions: number[] } | undefined;
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.repeated) {
      all.push({ leaves: [leaf], positions: [i] });
      continue;
    }
    if (!open || open.leaves.length >= CHUNK) {
      open = { leaves: [], positions: [] };
      all.push(open);
    }
    open.leaves.push(leaf);
    open.positions.push(i);
  }
  return all;
}

/** SQL for the values of leaves as columns `v0`, `v1` …; floats that are no numbers count as filled, not as values. */
function valuesSql(leaves: readonly Leaf[], rows: string): string {
  const columns = leaves.map((leaf, i) => `${leaf.repeated ? `unnest(${leaf.sql})` : leaf.sql} AS v${i}`);
  return `(SELECT ${columns.join(", ")} FROM ${rows})`;
}

function finite(leaf: Leaf, v: string): string {
  return /^(FLOAT|DOUBLE)$/.test(leaf.type) || leaf.kind === "time" ? `CASE WHEN isfinite(${v}) THEN ${v} END` : v;
}

function firstAggregates(leaf: Leaf, v: string): string {
  const x = finite(leaf, v);
  const parts = [`'n': count(${v})`];
  if (!mayShow(leaf)) return `{${[...parts, ...lengthAggregates(leaf, v)].join(", ")}}`;
  if (leaf.kind === "integer" || leaf.kind === "number") {
    parts.push(`'lo': CAST(min(${x}) AS DOUBLE)`, `'hi': CAST(max(${x}) AS DOUBLE)`);
    parts.push(`'m': avg(CAST(${x} AS ${exactType(leaf)}))`, `'s': stddev_pop(CAST(${x} AS DOUBLE))`);
  } else if (leaf.kind === "time") {
    parts.push(`'lo': epoch_ms(min(${x}))`, `'hi': epoch_ms(max(${x}))`);
  }
  return `{${[...parts, ...lengthAggregates(leaf, v)].join(", ")}}`;
}

function lengthAggregates(leaf: Leaf, v: string): string[] {
  const of = (length: string) => [`'ll': min(${length})`, `'lh': max(${length})`, `'lm': avg(${length})`];
  if (leaf.kind === "blob") return of(`octet_length(${v})`);
  if (leaf.kind !== "text") return [];
  if (leaf.type !== "VARCHAR") return of(`length(CAST(${v} AS VARCHAR))`);
  // A blank text sorts before "!"; where none does, the costly trim of every text can be left out.
  return [...of(`length(${v})`), `'b': count(*) FILTER (${v} < '!')`];
}

/** Whether the name of a leaf lets its values be shown; of others no value needs to be measured. */
function mayShow(leaf: Leaf): boolean {
  return leaf.kind === "boolean" || (!personalWord(leaf.name) && !namesIdentifier(leaf.name));
}

/** Sums of integers and decimals are exact, and so the same however threads share the rows. */
function exactType(leaf: Leaf): string {
  return /^U?HUGEINT$/.test(leaf.type) ? "DOUBLE" : leaf.type;
}

async function firstPass(duck: Duck, source: Source, leaves: readonly Leaf[]): Promise<Measured[]> {
  const ask = async (some: readonly Leaf[], aggregate: (leaf: Leaf, v: string) => string) => {
    const list = some.map((leaf, i) => `${aggregate(leaf, `v${i}`)} AS a${i}`);
    const row = await duck.askOne(`SELECT ${list.join(", ")} FROM ${valuesSql(some, rowsOf(source))}`);
    return some.map((leaf, i) => ({ leaf, first: objectOf(row[`a${i}`]) }));
  };
  try {
    return await ask(leaves, firstAggregates);
  } catch (error) {
    if (!isOutOfRange(error)) throw error;
  }
  // One column overflowed an aggregate (the deviation of 1e308, say): measure them one by one, and that one by counts only.
  const measured: Measured[] = [];
  for (const leaf of leaves) {
    try {
      measured.push(...(await ask([leaf], firstAggregates)));
    } catch (error) {
      if (!isOutOfRange(error)) throw error;
      measured.push(...(await ask([leaf], (_, v) => `{'n': count(${v})}`)));
    }
  }
  return measured;
}

function isOutOfRange(error: unknown): boolean {
  const cause = error instanceof DatasetError && error.cause instanceof Error ? error.cause.message : "";
  return (
    error instanceof DatasetError &&
    error.reason !== Reason.CANCELLED &&
    /range|overflow|No function matches|Conversion/i.test(cause)
  );
}

function objectOf(value: unknown): Row {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Row) : {};
}

function numberOf(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

async function secondPass(duck: Duck, source: Source, measured: readonly Measured[]): Promise<LeafStatistics[]> {
  const counts = await countDistinct(duck, source, measured);
  const bins = await countBins(duck, source, measured);
  const quartiles = await findQuartiles(duck, source, measured);
  const nulls = await countNulls(duck, source, measured);
  const blanks = await countBlanks(duck, source, measured);
  return measured.map(({ leaf, first }, i) => ({
    nullCount: nulls[i] ?? 0,
    filled: numberOf(first.n) ?? 0,
    ...(counts[i] ?? { distinct: 0, distinctExact: false }),
    min: numberOf(first.lo),
    max: numberOf(first.hi),
    mean: numberOf(first.m),
    stddev: numberOf(first.s),
    quartiles: quartiles[i] ?? [],
    minLength: numberOf(first.ll),
    maxLength: numberOf(first.lh),
    meanLength: numberOf(first.lm),
    blankCount: blanks.get(leaf) ?? 0,
    bins: bins[i],
  }));
}

interface DistinctCount {
  readonly distinct: number;
  readonly distinctExact: boolean;
  readonly values?: readonly CountedValue[];
}

async function countDistinct(duck: Duck, source: Source, measured: readonly Measured[]): Promise<DistinctCount[]> {
  const leaves = measured.map(({ leaf }) => leaf);
  const estimates = await estimateDistinct(duck, source, measured);
  const exactly = measured.filter(({ leaf, first }) => {
    const estimate = estimates.get(leaf);
    return estimate === undefined || estimate <= FEW || estimate >= (numberOf(first.n) ?? 0) * 0.8;
  });
  const exact = await aggregateInSteps(
    duck,
    source,
    exactly.map(({ leaf }) => ({ leaf, sql: (v) => `count(DISTINCT ${v})` })),
  );
  const values = await countValues(
    duck,
    source,
    leaves.filter((leaf) => mayShow(leaf) && isPlain(leaf) && (numberOf(exact.get(leaf)) ?? FEW + 1) <= FEW),
  );
  return leaves.map((leaf) => ({
    distinct: numberOf(exact.get(leaf)) ?? estimates.get(leaf) ?? 0,
    distinctExact: exact.has(leaf),
    values: values.get(leaf),
  }));
}

function isPlain(leaf: Leaf): boolean {
  return leaf.kind !== "blob" && leaf.kind !== "other";
}

async function estimateDistinct(
  duck: Duck,
  source: Source,
  measured: readonly Measured[],
): Promise<Map<Leaf, number | undefined>> {
  const many = measured.filter(({ first }) => (numberOf(first.n) ?? 0) > EXACT_ROWS);
  const list = many.map(({ leaf }) => ({ leaf, sql: (v: string) => `approx_count_distinct(${v})` }));
  const found = await aggregate(duck, source, list);
  return new Map([...found].map(([leaf, value]) => [leaf, numberOf(value)]));
}

async function countValues(
  duck: Duck,
  source: Source,
  leaves: readonly Leaf[],
): Promise<Map<Leaf, readonly CountedValue[]>> {
  const counted = await groupBy(
    duck,
    source,
    leaves.map((leaf) => ({ leaf, sql: (v) => v })),
  );
  const texts = [...counted].map(([leaf, pairs]): [Leaf, CountedValue[]] => [
    leaf,
    pairs.map(([key, count]) => ({ value: String(key), count })),
  ]);
  return new Map(texts);
}

interface Aggregate {
  readonly leaf: Leaf;
  readonly sql: (v: string) => string;
}

async function aggregate(
  duck: Duck,
  source: Source,
  list: readonly Aggregate[],
  rows = rowsOf(source),
): Promise<Map<Leaf, unknown>> {
  if (list.length === 0) return new Map();
  const leaves = list.map(({ leaf }) => leaf);
  const columns = list.map(({ sql }, i) => `${sql(`v${i}`)} AS a${i}`);
  const row = await duck.askOne(`SELECT ${columns.join(", ")} FROM ${valuesSql(leaves, rows)}`);
  return new Map(leaves.map((leaf, i) => [leaf, row[`a${i}`]]));
}

/** {@link aggregate}, one leaf at a time where there are many rows. */
async function aggregateInSteps(duck: Duck, source: Source, list: readonly Aggregate[]): Promise<Map<Leaf, unknown>> {
  const step = source.rowCount > MANY_ROWS ? 1 : CHUNK;
  const found = new Map<Leaf, unknown>();
  for (let i = 0; i < list.length; i += step) {
    for (const [leaf, value] of await aggregate(duck, source, list.slice(i, i + step))) found.set(leaf, value);
  }
  return found;
}

/** Rows per value of an expression over each leaf; NULL is left out. */
async function groupBy(
  duck: Duck,
  source: Source,
  list: readonly Aggregate[],
): Promise<Map<Leaf, [unknown, number][]>> {
  const found = new Map<Leaf, [unknown, number][]>();
  if (source.rowCount <= MANY_ROWS) {
    const maps = list.map(({ leaf, sql }) => ({
      leaf,
      sql: (v: string) => `histogram(${sql(v)}) FILTER (${v} IS NOT NULL)`,
    }));
    for (const [leaf, value] of await aggregate(duck, source, maps)) {
      found.set(
        leaf,
        pairsOf(value).map(([key, count]) => [key, Number(count)]),
      );
    }
    return found;
  }
  for (const { leaf, sql } of list) {
    const rows = await duck.ask(
      `SELECT ${sql("v0")} AS key, count(*) AS n FROM ${valuesSql([leaf], rowsOf(source))} WHERE v0 IS NOT NULL GROUP BY key`,
    );
    found.set(
      leaf,
      rows.map((row) => [row.key, Number(row.n)]),
    );
  }
  return found;
}

/** The pairs of a DuckDB MAP, which JSON holds as `[{key, value}]`. */
function pairsOf(value: unknown): [unknown, unknown][] {
  return Array.isArray(value) ? value.map((pair) => [objectOf(pair).key, objectOf(pair).value]) : [];
}

async function countBins(
  duck: Duck,
  source: Source,
  measured: readonly Measured[],
): Promise<(readonly number[] | undefined)[]> {
  const wanted: Aggregate[] = [];
  for (const { leaf, first } of measured) {
    const edges = binEdges(leaf.kind, numberOf(first.lo), numberOf(first.hi));
    if (!edges) continue;
    const width = (edges.high - edges.low) / BINS;
    const sql = (v: string) => {
      const x = finite(leaf, v);
      const number = leaf.kind === "time" ? `epoch_ms(${x})` : `CAST(${x} AS DOUBLE)`;
      const bin = `floor((${number} - (${edges.low})) / ${width})`;
      // greatest and least skip NULL, as which a float that is no number counts here.
      return `CASE WHEN ${x} IS NOT NULL THEN CAST(greatest(0, least(${BINS - 1}, ${bin})) AS TINYINT) END`;
    };
    wanted.push({ leaf, sql });
  }
  const counted = await groupBy(duck, source, wanted);
  return measured.map(({ leaf }) => {
    const pairs = counted.get(leaf);
    if (!pairs) return undefined;
    const bins = new Array<number>(BINS).fill(0);
    for (const [bin, count] of pairs) if (bin !== null) bins[Number(bin)] = count;
    return bins;
  });
}

async function findQuartiles(duck: Duck, source: Source, measured: readonly Measured[]): Promise<number[][]> {
  const numeric = measured.filter(({ first }) => numberOf(first.m) !== undefined);
  const rows = source.rowCount > QUARTILE_ROWS ? sampleOf(source, QUARTILE_ROWS / 10) : rowsOf(source);
  const found = new Map<Leaf, unknown>();
  const step = source.rowCount > MANY_ROWS ? 4 : CHUNK;
  for (let i = 0; i < numeric.length; i += step) {
    const some = numeric.slice(i, i + step).map(({ leaf }) => ({
      leaf,
      sql: (v: string) => `quantile_disc(${finite(leaf, v)}, [0.25, 0.5, 0.75])`,
    }));
    for (const [leaf, value] of await aggregate(duck, source, some, rows)) found.set(leaf, value);
  }
  return measured.map(({ leaf }) => {
    const value = found.get(leaf);
    return Array.isArray(value) ? value.map(Number).filter(Number.isFinite) : [];
  });
}

/** Texts that are empty or only white space. */
async function countBlanks(duck: Duck, source: Source, measured: readonly Measured[]): Promise<Map<Leaf, number>> {
  const list = measured.flatMap(({ leaf, first }) =>
    (numberOf(first.b) ?? 0) > 0
      ? [{ leaf, sql: (v: string) => `count(*) FILTER (${v} < '!' AND trim(${v}, ' \t\r\n') = '')` }]
      : [],
  );
  const found = await aggregate(duck, source, list);
  return new Map([...found].map(([leaf, value]) => [leaf, numberOf(value) ?? 0]));
}

/** NULLs of a leaf; of the elements of a list, the rows that hold no element other than NULL. */
async function countNulls(duck: Duck, source: Source, measured: readonly Measured[]): Promise<number[]> {
  const nulls: number[] = [];
  for (const { leaf, first } of measured) {
    if (!leaf.repeated) {
      nulls.push(source.rowCount - (numberOf(first.n) ?? 0));
      continue;
    }
    const filled = `len(list_filter(${leaf.sql}, lambda x: x IS NOT NULL)) > 0`;
    const row = await duck.askOne(`SELECT count(*) FILTER (${filled}) AS n FROM ${rowsOf(source)}`);
    nulls.push(source.rowCount - (numberOf(row.n) ?? 0));
  }
  return nulls;
}
