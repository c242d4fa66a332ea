import type { ColumnProfile, FindingInit } from "@odg/expert-plugin-api";
import { wilson } from "./interval.ts";
import type { Measure } from "./measure.ts";

/** What anomalies are looked for in. */
export interface Observed {
  table: string;
  rowCount: number;
  sampledRows: number;
  columns: ColumnProfile[];
  measures: Measure[];
  duplicates: number;
  /** Whether an earlier expert described the columns: then what it says is not said again. */
  described: boolean;
}

/** From this share of NULLs on, a column is worth a look; from the second on, sums and models over it mislead. */
const SOME_NULLS = 0.05;
const MANY_NULLS = 0.2;
/** From this share of faulty texts on, the fault is systematic. */
const MANY_TEXTS = 0.01;
/** From this share of outliers on, they are a second population and no accidents. */
const MANY_OUTLIERS = 0.01;
/** One minus the entropy relative to the greatest possible; the threshold of ydata-profiling's imbalance alert. */
const IMBALANCE = 0.5;
const LEAST_ROWS = 20;
const LISTED = 12;

/** Anomalies of the data as they are, each with its numbers. */
export function anomalies(observed: Observed): FindingInit[] {
  const measures = new Map(observed.measures.map((one) => [one.name, one]));
  const found = observed.columns.flatMap((profile) => {
    const subject = { kind: "column", name: `${observed.table}.${profile.name}` };
    const measured = measures.get(profile.name);
    return [
      nulls(profile, observed.rowCount),
      blanks(profile, observed.rowCount),
      nullWords(profile, measured),
      padding(measured),
      outliers(measured),
      notFinite(measured),
      imbalance(profile, observed.rowCount),
      observed.described ? undefined : constant(profile, observed.rowCount),
    ].flatMap((one): FindingInit[] => (one ? [{ ...one, subject }] : []));
  });
  return [...duplicateRows(observed), ...condense(found, observed.table)];
}

type Anomaly = Omit<FindingInit, "subject">;

function nulls({ nullCount }: ColumnProfile, rowCount: number): Anomaly | undefined {
  const share = rowCount === 0 ? 0 : Number(nullCount) / rowCount;
  if (share < SOME_NULLS || rowCount < LEAST_ROWS) return undefined;
  const { low, high } = wilson(share, rowCount);
  return {
    rule: "quality.high_null_share",
    severity: share >= MANY_NULLS ? "warning" : "info",
    reason: "Many rows have no value here: averages and joins over the column speak of the others only.",
    evidence: [
      {
        label: "NULLs",
        text: `${grouped(Number(nullCount))} of ${grouped(rowCount)} rows`,
        value: share,
        unit: "share",
      },
      { label: "interval", text: `${percent(low)} to ${percent(high)} at 99.9 % (Wilson)` },
    ],
    remedy: "Say in the contract when it may be missing, and look for the source that does not fill it.",
  };
}

function blanks({ blankCount, nullCount }: ColumnProfile, rowCount: number): Anomaly | undefined {
  const present = rowCount - Number(nullCount);
  if (blankCount === 0n || present === 0) return undefined;
  const share = Number(blankCount) / present;
  return {
    rule: "quality.blank_texts",
    severity: share >= MANY_TEXTS ? "warning" : "info",
    reason: "Empty texts stand for missing values: they pass every NOT NULL check.",
    evidence: [
      {
        label: "blank texts",
        text: `${grouped(Number(blankCount))} of ${grouped(present)} texts`,
        value: share,
        unit: "share",
      },
    ],
    remedy: "Store NULL in their place.",
  };
}

function nullWords({ blankCount }: ColumnProfile, measured?: Measure): Anomaly | undefined {
  const words = measured?.texts?.nullWords ?? 0;
  // "NA" may be Namibia or North America: a lone word among many is left alone.
  if (words < 5 || !measured || words === measured.present) return undefined;
  const share = words / measured.present;
  return {
    rule: "quality.null_words",
    severity: share >= MANY_TEXTS ? "warning" : "info",
    reason: "Words such as NA or null stand for missing values: they are counted as values.",
    evidence: [
      {
        label: "words for NULL",
        text: `${grouped(words)} of ${grouped(measured.present)} sampled texts`,
        value: share,
        unit: "share",
      },
      ...(blankCount > 0n
        ? [{ label: "blank texts", text: grouped(Number(blankCount)), value: Number(blankCount) }]
        : []),
    ],
    remedy: "Store NULL in their place.",
    confidence: 0.85,
  };
}

function padding(measured?: Measure): Anomaly | undefined {
  const padded = measured?.texts?.padded ?? 0;
  if (padded === 0 || !measured) return undefined;
  const share = padded / measured.present;
  return {
    rule: "quality.padded_texts",
    severity: share >= MANY_TEXTS ? "warning" : "info",
    reason: "White space at the ends makes equal texts differ: joins and groups miss them.",
    evidence: [
      {
        label: "padded texts",
        text: `${grouped(padded)} of ${grouped(measured.present)} sampled texts`,
        value: share,
        unit: "share",
      },
    ],
    remedy: "Trim the texts when they are loaded.",
  };
}

function outliers(measured?: Measure): Anomaly | undefined {
  const numbers = measured?.numbers;
  if (!numbers || !measured || numbers.outliers === 0) return undefined;
  const share = numbers.outliers / measured.present;
  return {
    rule: "quality.outliers",
    severity: share >= MANY_OUTLIERS ? "warning" : "info",
    reason: "Some values lie far outside of the others: errors of unit or entry, or a population of their own.",
    evidence: [
      {
        label: "outliers",
        text: `${grouped(numbers.outliers)} of ${grouped(measured.present)} sampled values`,
        value: share,
        unit: "share",
      },
      {
        label: "fences",
        text: `${grouped(numbers.fences.low)} to ${grouped(numbers.fences.high)}: three interquartile ranges from the quartiles, on the plain and the log scale`,
      },
    ],
    remedy: "Look at these rows; correct the unit or set a bound.",
    // The fewer there are, the less they are what the column is like, and the more they look like errors.
    confidence: share >= MANY_OUTLIERS ? 0.6 : 0.8,
  };
}

function notFinite(measured?: Measure): Anomaly | undefined {
  const count = measured?.numbers?.nonFinite ?? 0;
  if (count === 0 || !measured) return undefined;
  return {
    rule: "quality.not_finite",
    severity: "warning",
    reason: "Infinite numbers make every sum and mean over the column infinite.",
    evidence: [
      {
        label: "infinite values",
        text: `${grouped(count)} of ${grouped(measured.present)} sampled values`,
        value: count,
        unit: "rows",
      },
    ],
    remedy: "Store NULL in their place.",
  };
}

/** Entropy of the known values; the rest is taken as one more value, which can only lower the score of a true imbalance. */
function imbalance(profile: ColumnProfile, rowCount: number): Anomaly | undefined {
  const present = rowCount - Number(profile.nullCount);
  const distinct = Number(profile.distinctCount);
  const top = profile.topValues[0];
  if (!top || distinct < 2 || distinct > 50 || present < 100) return undefined;
  const shares = profile.topValues.map(({ count }) => Number(count) / present);
  const rest = 1 - shares.reduce((sum, one) => sum + one, 0);
  const entropy = [...shares, rest].reduce((sum, share) => (share > 0 ? sum - share * Math.log2(share) : sum), 0);
  const score = 1 - entropy / Math.log2(distinct);
  const share = Number(top.count) / present;
  if (score <= IMBALANCE || share < 0.5) return undefined;
  return {
    rule: "quality.top_heavy",
    severity: "info",
    reason: "One value takes nearly all rows: samples and models hardly see the others.",
    evidence: [
      {
        label: "most frequent value",
        text: `${grouped(Number(top.count))} of ${grouped(present)} rows, among ${distinct} values`,
        value: share,
        unit: "share",
      },
      {
        label: "imbalance",
        text: `${score.toFixed(2)} (one minus relative entropy)`,
        value: Math.round(score * 1000) / 1000,
      },
    ],
    remedy: "Sample by this column where the rare values matter.",
  };
}

function constant(profile: ColumnProfile, rowCount: number): Anomaly | undefined {
  if (rowCount < LEAST_ROWS || profile.distinctCount !== 1n || profile.nullCount > 0n) return undefined;
  return {
    rule: "quality.constant",
    severity: "info",
    reason: "Every row holds the same value: the column tells nothing.",
    evidence: [{ label: "distinct values", text: `1 in ${grouped(rowCount)} rows`, value: 1 }],
    remedy: "Check that the filter before it was meant, or drop it.",
  };
}

function duplicateRows({ table, duplicates, sampledRows }: Observed): FindingInit[] {
  if (duplicates === 0) return [];
  const share = duplicates / sampledRows;
  return [
    {
      rule: "quality.duplicate_rows",
      severity: share >= MANY_TEXTS ? "warning" : "info",
      subject: { kind: "dataset", name: table },
      reason: "Rows repeat another one in every column: they are counted twice in every sum.",
      evidence: [
        {
          label: "duplicates",
          text: `${grouped(duplicates)} of ${grouped(sampledRows)} sampled rows`,
          value: share,
          unit: "share",
        },
      ],
      remedy: "Remove them, or add the column that tells them apart.",
      confidence: 0.9,
    },
  ];
}

/** Many findings of one rule become one that counts them. */
function condense(found: FindingInit[], table: string): FindingInit[] {
  const byRule = Map.groupBy(found, ({ rule }) => rule);
  return [...byRule.values()].flatMap((same) => {
    const first = same[0];
    if (!first || same.length <= LISTED) return same;
    const names = same.slice(0, LISTED).map(({ subject }) => subject.name.slice(table.length + 1));
    return [
      {
        ...first,
        subject: { kind: "dataset", name: table },
        evidence: [
          {
            label: "columns",
            text: `${grouped(same.length)} columns: ${names.join(", ")} …`,
            value: same.length,
            unit: "columns",
          },
        ],
      },
    ];
  });
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
}
