import type { ActionContext, ColumnProfile, DatasetInfo, DatasetProfile } from "@odg/expert-plugin-api";
import type { Dependency } from "./dependencies.ts";
import type { ScanAnswer, ScanJob } from "./full-scan-worker.ts";
import { canBeKey, type Key, type KeyColumn, keyCandidates, keyConfidence, keyRank } from "./keys.ts";
import { type LogicalType, logicalType, type Spelling } from "./logical-type.ts";
import type { TypedText } from "./output.ts";
import type { ReferenceAnswer, ReferenceJob } from "./reference-worker.ts";
import type { ColumnFacts } from "./sample.ts";
import { type Meaning, type Semantic, semanticOf, type Verdict } from "./semantic.ts";
import type { SampleAnswer, SampleJob } from "./worker.ts";

/** How much to look at. */
export interface Limits {
  dataset: string;
  sample_rows: number;
  full_scan_rows: number;
}

/** A column with everything that was learnt of it. */
export interface ExaminedColumn {
  profile: ColumnProfile;
  facts?: ColumnFacts;
  logical?: LogicalType;
  verdict: Verdict;
}

/** What all actions of this expert work from. */
export interface Examination {
  info: DatasetInfo;
  profile: DatasetProfile;
  rowCount: number;
  sampledRows: number;
  columns: ExaminedColumn[];
  keys: Key[];
  dependencies: Dependency[];
  typedTexts: TypedText[];
  references: ReferenceAnswer;
}

/** Values in the sample at most: a table of 2,000 columns is sampled in fewer rows. */
const SAMPLE_CELLS = 4_000_000;
const LEAST_ROWS = 500;
const MOST_SIBLINGS = 20;
/** Columns that are tried as determinants or as halves of a key; the most natural ones come first. */
const MOST_DETERMINANTS = 60;
const MOST_KEY_PARTS = 16;
const MOST_KEYS = 8;

/** The most rows of a sibling's key column that are read to measure a reference. */
const SIBLING_ROWS = 20_000_000;

/** Looks at a dataset: its profile, a seeded sample, and all rows of the columns whose verdict hangs on every row. */
export async function examine(ctx: ActionContext, limits: Limits): Promise<Examination> {
  const dataset = await ctx.datasets.open(limits.dataset);
  const profile = await dataset.profile();
  const rowCount = Number(profile.rowCount);
  ctx.progress(0.2, `profiled ${profile.columns.length} columns`);

  const candidates = keyCandidates(profile.columns.map(keyColumn), rowCount, dataset.info.name);
  const sample = await sampleOf(ctx, { limits, profile, table: dataset.info.name, withPairs: candidates.length === 0 });
  ctx.progress(0.5, `sampled ${sample.rows} rows`);

  const logical = logicalTypes(profile, sample);
  const confirmed = await confirm(ctx, { limits, profile, table: dataset.info.name, candidates, sample, logical });
  ctx.progress(0.7, "checked keys and types");

  const columns = describe(profile, { sample, logical, keys: confirmed.keys });
  const references = await referencesOf(ctx, {
    limits,
    table: dataset.info.name,
    keys: confirmed.keys,
    columns,
    siblings: await dataset.siblings(),
  });
  ctx.progress(0.95, "measured references");
  return {
    info: dataset.info,
    profile,
    rowCount,
    sampledRows: sample.rows,
    columns,
    keys: confirmed.keys,
    dependencies: sample.dependencies,
    typedTexts: confirmed.typedTexts,
    references,
  };
}

/** Types of the text columns only: the reader also hands times and decimals over as text. */
function logicalTypes(profile: DatasetProfile, sample: SampleAnswer): Map<string, LogicalType> {
  const texts = new Set(profile.columns.filter(({ type }) => type === "VARCHAR").map(({ name }) => name));
  return new Map(
    sample.facts.flatMap((one) =>
      one.texts && texts.has(one.name) ? [[one.name, logicalType(one.texts.spelling)] as const] : [],
    ),
  );
}

function worker(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
}

function keyColumn({ name, type, nullCount, distinctCount, distinctExact }: ColumnProfile): KeyColumn {
  return { name, type, nullCount: Number(nullCount), distinctCount: Number(distinctCount), distinctExact };
}

interface Sampling {
  limits: Limits;
  profile: DatasetProfile;
  table: string;
  withPairs: boolean;
}

async function sampleOf(ctx: ActionContext, { limits, profile, table, withPairs }: Sampling): Promise<SampleAnswer> {
  const columns = profile.columns.map(({ name }) => name);
  if (columns.length === 0) return { rows: 0, facts: [], dependencies: [], pairs: [] };
  const job: SampleJob = {
    dataset: limits.dataset,
    columns,
    rows: Math.max(LEAST_ROWS, Math.min(limits.sample_rows, Math.floor(SAMPLE_CELLS / columns.length))),
    determinants: determinants(profile, table).slice(0, MOST_DETERMINANTS),
    keyParts: withPairs ? keyParts(profile, table).slice(0, MOST_KEY_PARTS) : [],
  };
  return ctx.offload<SampleAnswer>(worker("worker"), job);
}

const NO_KEY_PART = new Set(["money", "percentage", "flag", "nested", "binary", "json"]);

/** Columns that may be half of a key, the most natural first: a reading is known by its sensor and its time. */
function keyParts(profile: DatasetProfile, table: string): string[] {
  return ranked(profile, table, (column, semantic) => {
    const usable = canBeKey(column.type) || column.type.startsWith("TIMESTAMP");
    return usable && column.nullCount === 0n && !NO_KEY_PART.has(semantic);
  });
}

/** What may be shared by several rows without naming a thing that the table should keep once. */
const ATTRIBUTES: ReadonlySet<Semantic> = new Set([
  "measure",
  "phone",
  "person_name",
  "address",
  "birth_date",
  "ip_address",
]);

/** Columns that may determine others: a measure does so by accident only, a phone number names no thing of its own. */
function determinants(profile: DatasetProfile, table: string): string[] {
  return ranked(profile, table, ({ type }, semantic) => {
    return canBeKey(type) && !ATTRIBUTES.has(semantic) && !NO_KEY_PART.has(semantic);
  });
}

function ranked(
  profile: DatasetProfile,
  table: string,
  accept: (column: ColumnProfile, semantic: Semantic) => boolean,
): string[] {
  return profile.columns
    .filter(({ name }) => !name.includes("[]"))
    .filter((column) => accept(column, semanticOf(meaningOf(column, Number(profile.rowCount))).semantic))
    .map((column, index) => ({ name: column.name, index, rank: keyRank(column, table) }))
    .sort((a, b) => b.rank - a.rank || a.index - b.index)
    .map(({ name }) => name);
}

interface Confirming {
  limits: Limits;
  profile: DatasetProfile;
  table: string;
  candidates: KeyColumn[];
  sample: SampleAnswer;
  logical: Map<string, LogicalType>;
}

const CONVERTIBLE: ReadonlySet<Spelling> = new Set([
  "integer",
  "decimal",
  "date",
  "timestamp",
  "boolean",
  "uuid",
  "json",
]);

/** Reads all rows where that is affordable; otherwise the sample's word stands, and the answer says so. */
async function confirm(ctx: ActionContext, work: Confirming): Promise<{ keys: Key[]; typedTexts: TypedText[] }> {
  const { limits, profile, candidates, sample, logical } = work;
  const rowCount = Number(profile.rowCount);
  const singles = candidates.slice(0, MOST_KEYS);
  const open = singles.filter(({ distinctExact }) => !distinctExact).map(({ name }) => [name]);
  const keys = [...open, ...sample.pairs.slice(0, MOST_KEYS).map((pair) => [...pair])];
  const typed = [...logical]
    .filter(([, { type, share, format }]) => share === 1 && CONVERTIBLE.has(type) && format !== "mixed orders")
    .map(([column, { type }]) => ({ column, type }));
  const affordable = rowCount <= limits.full_scan_rows && (keys.length > 0 || typed.length > 0);
  const sampledAll = sample.rows >= rowCount;
  const job: ScanJob = { dataset: limits.dataset, keys, typed };
  const scan = affordable && !sampledAll ? await ctx.offload<ScanAnswer>(worker("full-scan-worker"), job) : undefined;
  const checkedOn = scan || sampledAll ? "all rows" : `sample of ${sample.rows} rows`;
  const holds = new Map(keys.map((columns, index) => [columns.join("\0"), scan ? scan.keys[index] === true : true]));
  return {
    keys: [
      ...singles
        .filter(({ name, distinctExact }) => distinctExact || holds.get(name))
        .map((column) => keyOf([column], { ...work, exact: column.distinctExact || Boolean(scan), checkedOn })),
      ...keys
        .filter((columns) => columns.length > 1 && holds.get(columns.join("\0")))
        .map((names) => keyOf(namedColumns(profile, names), { ...work, exact: checkedOn === "all rows", checkedOn })),
    ],
    typedTexts: typed.flatMap(({ column, type }, index) => {
      const found = logical.get(column);
      if (!found || scan?.exceptions[index]) return [];
      const { format, share, texts } = found;
      return [{ column, type, ...(format ? { format } : {}), share, texts, checked_on: checkedOn }];
    }),
  };
}

function keyOf(
  columns: KeyColumn[],
  facts: { table: string; profile: DatasetProfile; exact: boolean; checkedOn: string },
): Key {
  const rank = Math.min(...columns.map((column) => keyRank(column, facts.table)));
  return {
    columns: columns.map(({ name }) => name),
    exact: facts.exact,
    checked_on: facts.exact ? "all rows" : facts.checkedOn,
    confidence: keyConfidence(rank, Number(facts.profile.rowCount), facts.exact),
  };
}

function namedColumns(profile: DatasetProfile, names: string[]): KeyColumn[] {
  return profile.columns.filter(({ name }) => names.includes(name)).map(keyColumn);
}

interface Learnt {
  sample: SampleAnswer;
  logical: Map<string, LogicalType>;
  keys: Key[];
}

function describe(profile: DatasetProfile, { sample, logical, keys }: Learnt): ExaminedColumn[] {
  const facts = new Map(sample.facts.map((one) => [one.name, one]));
  const unique = new Set(keys.filter(({ columns }) => columns.length === 1).flatMap(({ columns }) => columns));
  const factsOf = ({ name, type }: ColumnProfile) => {
    const found = facts.get(name);
    return found && type !== "VARCHAR" ? { ...found, texts: undefined } : found;
  };
  return profile.columns.map((column) => {
    const meaning = {
      ...meaningOf(column, Number(profile.rowCount)),
      facts: factsOf(column),
      logical: logical.get(column.name),
      unique: unique.has(column.name),
    };
    return { profile: column, facts: meaning.facts, logical: meaning.logical, verdict: semanticOf(meaning) };
  });
}

function meaningOf(column: ColumnProfile, rowCount: number): Meaning {
  return { name: column.name, type: column.type, distinctCount: Number(column.distinctCount), rowCount, unique: false };
}

interface Referring {
  limits: Limits;
  table: string;
  keys: Key[];
  columns: ExaminedColumn[];
  siblings: DatasetInfo[];
}

const REFERRING = new Set(["id", "code", "uuid"]);

/** Of two tables with the same unique column, the one whose name speaks of it is its home; the other refers. */
function isHome({ column, dataset }: ReferenceAnswer["references"][number], table: string, keys: Key[]): boolean {
  const unique = keys.some(({ columns }) => columns.length === 1 && columns[0] === column);
  const rankIn = (name: string) => keyRank({ name: column, type: "" }, name);
  return unique && rankIn(table) > rankIn(dataset);
}

async function referencesOf(
  ctx: ActionContext,
  { limits, columns, siblings, table, keys }: Referring,
): Promise<ReferenceAnswer> {
  const names = columns.filter(({ verdict }) => REFERRING.has(verdict.semantic)).map(({ profile }) => profile.name);
  if (names.length === 0 || siblings.length === 0) return { references: [], unmeasured: [] };
  const job: ReferenceJob = {
    dataset: limits.dataset,
    columns: names,
    siblings: siblings.slice(0, MOST_SIBLINGS).map(({ uri, name }) => ({ uri, name })),
    rows: limits.sample_rows,
    siblingRows: SIBLING_ROWS,
  };
  const answer = await ctx.offload<ReferenceAnswer>(worker("reference-worker"), job);
  const beyond = siblings
    .slice(MOST_SIBLINGS)
    .map(({ name }) => ({ name, reason: `only ${MOST_SIBLINGS} are looked at` }));
  const references = answer.references.filter((one) => !isHome(one, table, keys));
  return { references, unmeasured: [...answer.unmeasured, ...beyond] };
}
