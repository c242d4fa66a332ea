import type { ColumnProfile } from "@odg/expert-plugin-api";
import { CONFIDENCE, wilson } from "./interval.ts";
import type { Measure } from "./measure.ts";
import type { OrderedPair } from "./pairs.ts";
import { proposeForColumn } from "./propose-column.ts";
import { type Expectation, expectation } from "./suite.ts";

/** What proposing works from. */
export interface Evidence {
  rowCount: number;
  columns: ColumnProfile[];
  measures: Measure[];
  pairs: OrderedPair[];
  /** Keys of several columns that an earlier expert found, counted on all rows. */
  compoundKeys: string[][];
}

/** A batch may have half or twice the rows of this one: one batch alone says no more. */
const LEAST_BATCH = 0.5;
const GREATEST_BATCH = 2;

/** All expectations that the evidence speaks for, table first, then column by column in the table's order. */
export function propose(evidence: Evidence): Expectation[] {
  const measures = new Map(evidence.measures.map((one) => [one.name, one]));
  return [
    ...proposeForTable(evidence),
    ...evidence.columns.flatMap((profile) =>
      proposeForColumn({ profile, measure: measures.get(profile.name), rowCount: evidence.rowCount }),
    ),
    ...evidence.pairs.map(orderedPair),
    ...evidence.compoundKeys.map(compoundKey),
  ];
}

function proposeForTable({ rowCount, columns }: Evidence): Expectation[] {
  const names = columns.map(({ name }) => name);
  if (names.length === 0) return [];
  // Leaf paths of nested columns are no columns to Great Expectations: the roots are, and their order is not known here.
  const nested = names.some((name) => /\.|\[\]/.test(name));
  const shape = nested
    ? []
    : [
        expectation(
          "expect_table_columns_to_match_ordered_list",
          { column_list: names },
          { reason: `The table has these ${names.length} columns in this order; readers by position rely on it.` },
        ),
      ];
  if (rowCount === 0) return shape;
  const [low, high] = [Math.max(1, Math.floor(rowCount * LEAST_BATCH)), Math.ceil(rowCount * GREATEST_BATCH)];
  return [
    ...shape,
    expectation(
      "expect_table_row_count_to_be_between",
      { min_value: low, max_value: high },
      { reason: `This batch has ${rowCount} rows; half or twice as many point at a truncated or doubled load.` },
    ),
  ];
}

function orderedPair({ greater, smaller, rows, expectedViolations }: OrderedPair): Expectation {
  const { low } = wilson(1, rows);
  return expectation(
    "expect_column_pair_values_a_to_be_greater_than_b",
    { column_A: greater, column_B: smaller, or_equal: true, ignore_row_if: "either_value_is_missing" },
    {
      reason: `In none of ${rows} sampled rows is ${greater} less than ${smaller}; paired at random, ${expectedViolations} would be.`,
      interval: { low, high: 1, confidence: CONFIDENCE, method: "Wilson" },
    },
  );
}

function compoundKey(columns: string[]): Expectation {
  return expectation(
    "expect_compound_columns_to_be_unique",
    { column_list: columns },
    { reason: `${columns.join(" and ")} together identify a row, by the schema expert's count on all rows.` },
  );
}
