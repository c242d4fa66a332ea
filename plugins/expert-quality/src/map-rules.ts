import { boundsOf, found, listOf, numberOf, patternOf, textsOf } from "./arguments.ts";
import { comparable } from "./kinds.ts";
import { RuleError, type Subject } from "./rule.ts";
import { sameType } from "./type-names.ts";

type Arguments = Record<string, unknown>;

/** A rule that asks a yes/no question of every value. */
export interface MapRule {
  /** Whether NULLs are asked as well. */
  seesMissing?: boolean;
  prepare(kwargs: Arguments, subject: Subject): (value: unknown) => boolean;
}

/** The column map expectations of Great Expectations that are evaluated here. */
export const mapRules: Record<string, MapRule> = {
  expect_column_values_to_not_be_null: { seesMissing: true, prepare: () => (value) => !absent(value) },
  expect_column_values_to_be_null: { seesMissing: true, prepare: () => absent },
  expect_column_values_to_be_between: {
    prepare(kwargs, { kind }) {
      const { min_value: least, max_value: most } = kwargs;
      if (typeof least === typeof most && least !== null && (least as number) > (most as number)) {
        throw new RuleError("min_value cannot be greater than max_value");
      }
      const bounds = boundsOf(kwargs, kind);
      return (value) => bounds.holds(value);
    },
  },
  expect_column_values_to_be_in_set: { prepare: (kwargs, subject) => inSet(kwargs, subject) },
  expect_column_values_to_not_be_in_set: {
    prepare(kwargs, subject) {
      const contains = inSet(kwargs, subject);
      return (value) => !contains(value);
    },
  },
  expect_column_values_to_be_unique: { prepare: (_, { values }) => unique(values) },
  expect_column_value_lengths_to_be_between: {
    prepare(kwargs) {
      const bounds = boundsOf(kwargs);
      return (value) => bounds.holds(lengthOf(value));
    },
  },
  expect_column_value_lengths_to_equal: {
    prepare(kwargs) {
      const length = numberOf(kwargs, "value");
      return (value) => lengthOf(value) === length;
    },
  },
  expect_column_value_z_scores_to_be_less_than: { prepare: zScores },
  expect_column_values_to_match_regex: {
    prepare(kwargs) {
      const pattern = patternOf(kwargs.regex);
      return (value) => found(pattern, value);
    },
  },
  expect_column_values_to_not_match_regex: {
    prepare(kwargs) {
      const pattern = patternOf(kwargs.regex);
      return (value) => !found(pattern, value);
    },
  },
  expect_column_values_to_match_regex_list: {
    prepare(kwargs) {
      const patterns = textsOf(kwargs, "regex_list").map(patternOf);
      const all = kwargs.match_on === "all";
      return (value) => (all ? patterns.every((one) => found(one, value)) : patterns.some((one) => found(one, value)));
    },
  },
  expect_column_values_to_not_match_regex_list: {
    prepare(kwargs) {
      const patterns = textsOf(kwargs, "regex_list").map(patternOf);
      return (value) => !patterns.some((one) => found(one, value));
    },
  },
  expect_column_values_to_be_of_type: { prepare: ({ type_ }, subject) => ofType([String(type_)], subject) },
  expect_column_values_to_be_in_type_list: {
    prepare: (kwargs, subject) => ofType(kwargs.type_list === null ? undefined : textsOf(kwargs, "type_list"), subject),
  },
};

function absent(value: unknown): boolean {
  return value === null || value === undefined;
}

function lengthOf(value: unknown): number {
  if (typeof value !== "string") throw new RuleError("the length of a value that is no text");
  let length = 0;
  for (const _ of value) length += 1;
  return length;
}

function inSet(kwargs: Arguments, { kind }: Subject): (value: unknown) => boolean {
  const form = (value: unknown) => (kind === "number" || kind === "time" ? comparable(value, kind) : value);
  const set = new Set(listOf(kwargs, "value_set").map(form));
  return (value) => set.has(form(value));
}

/** Every row of a value that occurs twice is unexpected, the first as well. */
function unique(values: readonly unknown[]): (value: unknown) => boolean {
  const key = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : value);
  const counts = new Map<unknown, number>();
  for (const value of values) if (!absent(value)) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return (value) => counts.get(key(value)) === 1;
}

function zScores(kwargs: Arguments, { values }: Subject): (value: unknown) => boolean {
  const threshold = numberOf(kwargs, "threshold");
  const numbers = values.flatMap((value) => (absent(value) ? [] : [Number(value)]));
  const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const spread = Math.sqrt(numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (numbers.length - 1));
  const score = (value: unknown) => (Number(value) - mean) / spread;
  return kwargs.double_sided ? (value) => Math.abs(score(value)) < threshold : (value) => score(value) < threshold;
}

/** By DuckDB's type where it is known; otherwise by the value, with pandas' names. No list of names allows every type. */
function ofType(names: string[] | undefined, { type, values }: Subject): (value: unknown) => boolean {
  if (!names) return () => true;
  const wanted = new Set(names);
  if (type !== undefined) {
    const known = sameType(type).some((name) => wanted.has(name));
    return () => known;
  }
  const fractions = values.some((value) => typeof value === "number" && !Number.isInteger(value));
  return (value) => pandasTypes(value, fractions).some((name) => wanted.has(name));
}

function pandasTypes(value: unknown, fractions: boolean): string[] {
  if (typeof value === "string") return ["str", "object", "object_", "O"];
  if (typeof value === "boolean") return ["bool", "bool_", "boolean"];
  if (typeof value === "number") {
    return fractions ? ["float", "float64", "float_", "number"] : ["int", "int64", "int_", "integer"];
  }
  return Array.isArray(value) ? ["list"] : ["dict"];
}
