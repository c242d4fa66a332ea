import { boundsOf, listOf, textsOf } from "./arguments.ts";
import { comparable } from "./kinds.ts";
import { quantile } from "./measure.ts";
import { RuleError, type Subject } from "./rule.ts";

type Arguments = Record<string, unknown>;

/** A rule on one number of a column. */
export type AggregateRule = (kwargs: Arguments, subject: Subject) => { success: boolean; observed?: number };

/** The column aggregate expectations of Great Expectations that are evaluated here. A column without a value satisfies none. */
export const aggregateRules: Record<string, AggregateRule> = {
  expect_column_to_exist: () => ({ success: true }),
  expect_column_mean_to_be_between: between((numbers) => mean(numbers)),
  expect_column_median_to_be_between: between(median),
  expect_column_sum_to_be_between: between((numbers) => numbers.reduce((sum, one) => sum + one, 0)),
  expect_column_stdev_to_be_between: between(deviation),
  expect_column_min_to_be_between: between((numbers) => numbers.reduce((least, one) => Math.min(least, one), Infinity)),
  expect_column_max_to_be_between: between((numbers) => numbers.reduce((most, one) => Math.max(most, one), -Infinity)),
  expect_column_unique_value_count_to_be_between: (kwargs, { values }) => {
    const observed = distinct(values).size;
    return { success: boundsOf(kwargs).holds(observed), observed };
  },
  expect_column_proportion_of_unique_values_to_be_between: (kwargs, { values }) => {
    const present = values.filter((value) => value !== null && value !== undefined).length;
    const observed = present === 0 ? 0 : distinct(values).size / present;
    return { success: boundsOf(kwargs).holds(observed), observed };
  },
  expect_column_distinct_values_to_be_in_set: (kwargs, { values }) => {
    const set = new Set(listOf(kwargs, "value_set"));
    return { success: [...distinct(values)].every((value) => set.has(value)) };
  },
  expect_column_distinct_values_to_contain_set: (kwargs, { values }) => {
    const seen = distinct(values);
    return { success: listOf(kwargs, "value_set").every((value) => seen.has(value)) };
  },
  expect_column_most_common_value_to_be_in_set: (kwargs, { values }) => {
    const set = new Set(textsOf(kwargs, "value_set"));
    const counts = new Map<unknown, number>();
    for (const value of values)
      if (value !== null && value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const common = [...counts].filter(([, count]) => count === most).map(([value]) => String(value));
    return { success: common.length === 1 || kwargs.ties_okay ? common.some((value) => set.has(value)) : false };
  },
  expect_column_quantile_values_to_be_between: quantiles,
};

function between(observe: (numbers: number[]) => number): AggregateRule {
  return (kwargs, subject) => {
    const numbers = numbersOf(subject);
    if (numbers.length === 0) return { success: false };
    const observed = observe(numbers);
    return { success: boundsOf(kwargs).holds(observed), observed };
  };
}

function numbersOf({ values }: Subject): number[] {
  return values.flatMap((value) => {
    const number = comparable(value, "number");
    return typeof number === "number" ? [number] : [];
  });
}

function distinct(values: readonly unknown[]): Set<unknown> {
  return new Set(values.filter((value) => value !== null && value !== undefined));
}

function mean(numbers: number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function median(numbers: number[]): number {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Of the sample, with n - 1, as pandas. */
function deviation(numbers: number[]): number {
  const centre = mean(numbers);
  return Math.sqrt(numbers.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (numbers.length - 1));
}

function quantiles(kwargs: Arguments, subject: Subject): { success: boolean } {
  const ranges = kwargs.quantile_ranges as Arguments | undefined;
  if (!ranges || typeof ranges !== "object") throw new RuleError("quantile_ranges must be an object");
  const levels = listOf(ranges, "quantiles");
  const bounds = listOf(ranges, "value_ranges");
  const numbers = Float64Array.from(numbersOf(subject)).sort();
  if (numbers.length === 0) return { success: false };
  return {
    success: levels.every((level, index) => {
      const [low, high] = (bounds[index] ?? []) as [number | null, number | null];
      const value = quantile(numbers, Number(level));
      return (low === null || value >= low) && (high === null || value <= high);
    }),
  };
}
