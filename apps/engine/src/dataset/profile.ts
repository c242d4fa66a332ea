import { create } from "@bufbuild/protobuf";
import {
  type ColumnProfile,
  ColumnProfileSchema,
  type DatasetProfile,
  DatasetProfileSchema,
} from "@odg/proto/odg/catalog/v1/dataset_pb";
import { type ColumnFacts, shownValues, whyWithheld } from "./disclosure.ts";
import { type Duck, identifier } from "./duck.ts";
import type { Leaf } from "./leaves.ts";
import { binEdges, monthText, roundOutwards, roundStatistic } from "./rounding.ts";
import { topShapes } from "./shape.ts";
import { type Source, sampleOf } from "./source.ts";
import { type LeafStatistics, measure } from "./statistics.ts";

/** Values that are looked at in JavaScript over all columns, at most: for shapes and for what they look like. */
const SAMPLED_VALUES = 60_000;
const SAMPLED_ROWS = { least: 100, most: 4_000 };
const SAMPLED_AT_ONCE = 64;
/** Longest part of a sampled text that is looked at. */
const SAMPLED_LENGTH = 300;

/** Profiles a source: statistics in SQL, then every value judged before it may leave. `dataset` and `duration_ms` are left unset. */
export async function profileSource(duck: Duck, source: Source): Promise<DatasetProfile> {
  const statistics = await measure(duck, source);
  const samples = await sampleTexts(duck, source);
  const columns = source.leaves.map((leaf, i) => {
    const stats = statistics[i];
    if (!stats) throw new TypeError("a leaf was not measured");
    return columnProfile({ leaf, stats, sample: samples[i] ?? [], source, index: i });
  });
  return create(DatasetProfileSchema, {
    rowCount: BigInt(source.rowCount),
    columns,
    dialect: { ...source.dialect },
  });
}

/** Texts of the same sampled rows for every leaf; NULLs are left out. */
async function sampleTexts(duck: Duck, source: Source): Promise<string[][]> {
  const { leaves } = source;
  if (leaves.length === 0 || source.rowCount === 0) return leaves.map(() => []);
  const rows = Math.floor(SAMPLED_VALUES / leaves.length);
  const size = Math.min(SAMPLED_ROWS.most, Math.max(SAMPLED_ROWS.least, rows));
  const texts: string[][] = [];
  // The planner's time grows faster than the number of expressions.
  for (let i = 0; i < leaves.length; i += SAMPLED_AT_ONCE) {
    const some = leaves.slice(i, i + SAMPLED_AT_ONCE);
    const columns = some.map((leaf, n) => `${sampledSql(leaf)} AS ${identifier(`c${n}`)}`);
    const row = await duck.askOne(`SELECT ${columns.join(", ")} FROM ${sampleOf(source, size)}`);
    for (const n of some.keys()) {
      const list = row[`c${n}`];
      texts.push(Array.isArray(list) ? list.map(String) : []);
    }
  }
  return texts;
}

function sampledSql(leaf: Leaf): string {
  if (leaf.kind === "blob" || leaf.kind === "other" || leaf.kind === "time") return "NULL";
  if (leaf.repeated) {
    return `list_slice(flatten(list(list_transform(list_filter(${leaf.sql}, lambda x: x IS NOT NULL)[1:10],
      lambda x: left(CAST(x AS VARCHAR), ${SAMPLED_LENGTH})))), 1, ${SAMPLED_ROWS.most})`;
  }
  return `list(left(CAST(${leaf.sql} AS VARCHAR), ${SAMPLED_LENGTH})) FILTER (${leaf.sql} IS NOT NULL)`;
}

interface Judged {
  readonly leaf: Leaf;
  readonly stats: LeafStatistics;
  readonly sample: readonly string[];
  readonly source: Source;
  readonly index: number;
}

function columnProfile({ leaf, stats, sample, source, index }: Judged): ColumnProfile {
  const facts: ColumnFacts = { ...leaf, ...stats, sample };
  const withheld = stats.filled === 0 ? "" : whyWithheld(facts);
  return create(ColumnProfileSchema, {
    name: leaf.name,
    type: leaf.type,
    nullCount: BigInt(stats.nullCount),
    distinctCount: BigInt(stats.distinct),
    distinctExact: stats.distinctExact,
    blankCount: BigInt(stats.blankCount),
    compressedBytes: BigInt(source.compressedBytes[index] ?? 0),
    ...lengths(stats),
    shapes:
      leaf.kind === "text" ? topShapes(sample).map(({ shape, count }) => ({ value: shape, count: BigInt(count) })) : [],
    valuesWithheld: withheld,
    ...(withheld === "" ? values(leaf, stats, facts, source.rowCount) : {}),
  });
}

function lengths({ minLength, maxLength, meanLength }: LeafStatistics) {
  const whole = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));
  return {
    minLength: whole(minLength),
    maxLength: whole(maxLength),
    meanLength: meanLength === undefined ? undefined : roundStatistic(meanLength),
  };
}

function values(leaf: Leaf, stats: LeafStatistics, facts: ColumnFacts, rowCount: number) {
  const edges = binEdges(leaf.kind, stats.min, stats.max);
  const rounded = (value: number | undefined) => (value === undefined ? undefined : roundStatistic(value));
  return {
    ...extremes(leaf, stats),
    mean: rounded(stats.mean),
    stddev: rounded(stats.stddev),
    quartiles: stats.quartiles.map(roundStatistic),
    topValues: shownValues(facts, rowCount).map(({ value, count }) => ({ value, count: BigInt(count) })),
    histogram:
      edges && stats.bins ? { ...edges, counts: stats.bins.map(BigInt), isTime: leaf.kind === "time" } : undefined,
  };
}

function extremes(leaf: Leaf, { min, max }: LeafStatistics): { min: string; max: string } {
  if (min === undefined || max === undefined) return { min: "", max: "" };
  if (leaf.kind === "time") return { min: monthText(min), max: monthText(max) };
  return { min: String(roundOutwards(min, -1)), max: String(roundOutwards(max, 1)) };
}
