import { expect, test } from "vitest";
import { evaluate, type Outcome } from "./evaluate.ts";
import type { Expectation } from "./suite.ts";

const rows = {
  columns: {
    id: [1, 2, 3, 4],
    amount: ["1.50", "2.50", "3.50", null],
    at: ["2024-01-01 00:00:00", "2024-06-01 00:00:00", "2024-12-31 00:00:00", null],
    text: ["a", "bb", "bb", null],
    "10": [1, 1, 1, 1],
  },
  names: ["id", "amount", "at", "text", "10"],
  types: { id: "BIGINT", amount: "DECIMAL(5,2)", at: "TIMESTAMP", text: "VARCHAR", "10": "INTEGER" },
  rowCount: 4,
};

function run(type: string, kwargs: Expectation["kwargs"]): Outcome {
  return evaluate({ type, kwargs, meta: {} }, rows);
}

test.each([
  ["expect_column_values_to_be_between", { column: "amount", min_value: 1.5, max_value: 3.5 }, true],
  ["expect_column_values_to_be_between", { column: "amount", min_value: 1.5, strict_min: true }, false],
  [
    "expect_column_values_to_be_between",
    { column: "at", min_value: "2024-01-01", max_value: "2024-12-31T00:00:00" },
    true,
  ],
  ["expect_column_values_to_be_between", { column: "at", max_value: "2024-06-30" }, false],
  ["expect_column_values_to_be_in_set", { column: "amount", value_set: [1.5, 2.5, 3.5] }, true],
  ["expect_column_values_to_be_unique", { column: "text" }, false],
  ["expect_column_values_to_be_unique", { column: "text", mostly: 0.3 }, true],
  ["expect_column_values_to_not_be_null", { column: "text", mostly: 0.75 }, true],
  ["expect_column_values_to_not_be_null", { column: "text" }, false],
  ["expect_column_value_lengths_to_be_between", { column: "text", min_value: 1, max_value: 2 }, true],
  ["expect_column_values_to_be_in_type_list", { column: "amount", type_list: ["NUMERIC"] }, true],
  ["expect_column_values_to_be_in_type_list", { column: "amount", type_list: ["BIGINT"] }, false],
  ["expect_column_mean_to_be_between", { column: "amount", min_value: 2.5, max_value: 2.5 }, true],
  ["expect_column_median_to_be_between", { column: "id", min_value: 2.5, max_value: 2.5 }, true],
  ["expect_column_unique_value_count_to_be_between", { column: "text", min_value: 2, max_value: 2 }, true],
  ["expect_compound_columns_to_be_unique", { column_list: ["id", "text"] }, true],
  [
    "expect_column_pair_values_a_to_be_greater_than_b",
    { column_A: "id", column_B: "amount", ignore_row_if: "either_value_is_missing" },
    false,
  ],
  ["expect_table_row_count_to_be_between", { min_value: 4, max_value: 4 }, true],
  ["expect_table_columns_to_match_ordered_list", { column_list: ["id", "amount", "at", "text", "10"] }, true],
  ["expect_table_columns_to_match_set", { column_set: ["id"], exact_match: false }, true],
])("%s %o: %s", (type, kwargs, success) => {
  expect(run(type, kwargs as Expectation["kwargs"]).success).toBe(success);
});

test("quantiles are compared with their ranges", () => {
  const ranges = (low: number, high: number) => ({ quantiles: [0.5], value_ranges: [[low, high]] });
  expect(
    run("expect_column_quantile_values_to_be_between", { column: "id", quantile_ranges: ranges(2, 3) }).success,
  ).toBe(true);
  expect(
    run("expect_column_quantile_values_to_be_between", { column: "id", quantile_ranges: ranges(9, 10) }).success,
  ).toBe(false);
});

test.each([
  ["expect_something_new", { column: "id" }, /not known/],
  ["constructor", { column: "id" }, /not known/],
  ["expect_column_values_to_be_unique", { column: "absent" }, /does not exist/],
  ["expect_column_values_to_be_unique", { column: "constructor" }, /does not exist/],
  ["expect_column_values_to_be_between", { column: "id" }, /cannot both be None/],
  ["expect_column_values_to_match_regex", { column: "text", regex: "(" }, /does not compile/],
])("%s %o fails and says why", (type, kwargs, why) => {
  const outcome = run(type, kwargs as Expectation["kwargs"]);
  expect(outcome.success).toBe(false);
  expect(outcome.error).toMatch(why);
});

test("a column without a value satisfies every question asked of values", () => {
  const empty = { columns: { x: [null, null] }, rowCount: 2 };
  const kwargs = { column: "x", min_value: 1 };
  expect(evaluate({ type: "expect_column_values_to_be_between", kwargs, meta: {} }, empty).success).toBe(true);
  expect(evaluate({ type: "expect_column_mean_to_be_between", kwargs, meta: {} }, empty).success).toBe(false);
});
