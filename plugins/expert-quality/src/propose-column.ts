import type { ColumnProfile } from "@odg/expert-plugin-api";
import { CONFIDENCE, meanSlack, mostlyOf, outwards, wilson } from "./interval.ts";
import { kindOf, millisOf } from "./kinds.ts";
import type { Measure } from "./measure.ts";
import { type Expectation, expectation } from "./suite.ts";
import { typeNames } from "./type-names.ts";

/** A column, and what is known of it. */
export interface ColumnEvidence {
  profile: ColumnProfile;
  measure?: Measure;
  rowCount: number;
}

/** Below this, "none in n" proves too little to forbid it: 3/100 may still be the true share (rule of three). */
const PROVING_ROWS = 100;
/** Deequ's RetainCompletenessRule proposes nothing for columns with less than a fifth of values. */
const LEAST_COMPLETE = 0.2;
/** A set of values is proposed for so many at most, and one in twenty rows: more is an open list. */
const MOST_CATEGORIES = 50;
const CATEGORY_SHARE = 0.05;
/** Numbers in so few values are codes or flags. */
const MOST_NUMBER_CATEGORIES = 10;
/** From so many different numbers on, quantiles are told from the sample. */
const FEW_NUMBERS = 20n;
/** A range of more interquartile ranges than this has tails (a uniform one has two): the next batch may reach further. */
const TAILS = 3;
const DAY = 86_400_000;

/** Expectations on one column. Of a column whose values are withheld only presence, type, length, uniqueness and shape are proposed. */
export function proposeForColumn(evidence: ColumnEvidence): Expectation[] {
  const { profile, rowCount } = evidence;
  const type = typeExpectation(profile);
  if (rowCount === 0 || profile.name.includes("[]")) return type;
  const values = valueSet(evidence);
  return [
    ...type,
    ...completeness(evidence),
    ...uniqueness(evidence),
    ...values,
    ...(values.length > 0 ? [] : range(evidence)),
    ...quantiles(evidence),
    ...mean(evidence, values.length > 0),
    ...lengths(evidence, values.length > 0),
    ...shape(evidence, values.length > 0),
  ];
}

function withheld({ profile }: ColumnEvidence): boolean {
  return profile.valuesWithheld !== "";
}

function present({ profile, rowCount }: ColumnEvidence): number {
  return rowCount - Number(profile.nullCount);
}

/** Unique, and of a type that is meant to be: points in time and fractions are unique by accident. */
function isUnique(evidence: ColumnEvidence): boolean {
  const { profile, measure } = evidence;
  const count = present(evidence);
  if (count < PROVING_ROWS || !/INT|VARCHAR|UUID|DATE$/.test(profile.type)) return false;
  if (profile.distinctExact) return Number(profile.distinctCount) === count;
  // A HyperLogLog estimate is off by 2 %: the sample has to be free of repetitions as well.
  return Number(profile.distinctCount) >= count * 0.94 && measure !== undefined && measure.distinct === measure.present;
}

function typeExpectation({ name, type }: ColumnProfile): Expectation[] {
  const names = typeNames(type);
  if (names.length === 0) return [];
  return [
    expectation(
      "expect_column_values_to_be_in_type_list",
      { column: name, type_list: names },
      { reason: `The column is ${type}; the list names the same type for pandas, Spark and SQL.` },
    ),
  ];
}

function completeness(evidence: ColumnEvidence): Expectation[] {
  const { profile, rowCount } = evidence;
  const nulls = Number(profile.nullCount);
  const share = (rowCount - nulls) / rowCount;
  if (share < LEAST_COMPLETE) return [];
  const { low, high } = wilson(share, rowCount);
  const never = nulls === 0 && rowCount >= PROVING_ROWS;
  const mostly = mostlyOf(low);
  if (!never && mostly === 0) return [];
  return [
    expectation(
      "expect_column_values_to_not_be_null",
      never ? { column: profile.name } : { column: profile.name, mostly },
      {
        reason: never
          ? `None of ${rowCount} rows is NULL (as Deequ's CompleteIfCompleteRule).`
          : `${nulls} of ${rowCount} rows are NULL (as Deequ's RetainCompletenessRule, with Wilson's interval).`,
        interval: { low, high, confidence: CONFIDENCE, method: "Wilson" },
      },
    ),
  ];
}

function uniqueness(evidence: ColumnEvidence): Expectation[] {
  if (!isUnique(evidence)) return [];
  const { name, distinctExact } = evidence.profile;
  const counted = distinctExact ? "counted exactly" : "by estimate, and none repeats in the sample";
  return [
    expectation(
      "expect_column_values_to_be_unique",
      { column: name },
      { reason: `No value occurs twice in ${present(evidence)} rows (${counted}).` },
    ),
  ];
}

function valueSet(evidence: ColumnEvidence): Expectation[] {
  const { profile } = evidence;
  const kind = kindOf(profile.type);
  const count = present(evidence);
  const most = kind === "number" ? MOST_NUMBER_CATEGORIES : MOST_CATEGORIES;
  const distinct = profile.topValues.length;
  if (withheld(evidence) || (kind !== "text" && kind !== "number") || distinct === 0) return [];
  if (Number(profile.distinctCount) > most || distinct > Math.max(2, count * CATEGORY_SHARE)) return [];
  const set = profile.topValues.filter(({ value }) => value !== "");
  const share = set.reduce((sum, one) => sum + Number(one.count), 0) / count;
  const { low, high } = wilson(share, count);
  const complete = share >= 1 && count >= PROVING_ROWS;
  // Deequ's FractionalCategoricalRangeRule asks that the named values cover nine tenths.
  if (set.length === 0 || share < 0.9) return [];
  return [
    expectation(
      "expect_column_values_to_be_in_set",
      {
        column: profile.name,
        value_set: set.map(({ value }) => (kind === "number" ? Number(value) : value)),
        ...(complete ? {} : { mostly: mostlyOf(low) }),
      },
      {
        reason: `${set.length} values cover ${(share * 100).toFixed(1)} % of ${count} rows (as Deequ's CategoricalRangeRule).`,
        interval: { low, high, confidence: CONFIDENCE, method: "Wilson" },
      },
    ),
  ];
}

function range(evidence: ColumnEvidence): Expectation[] {
  const { profile, measure } = evidence;
  const kind = kindOf(profile.type);
  if (withheld(evidence) || profile.min === "" || profile.max === "" || present(evidence) < PROVING_ROWS) return [];
  if (kind === "time") return timeRange(profile);
  const [low, high] = [Number(profile.min), Number(profile.max)];
  if (kind !== "number" || !Number.isFinite(low) || !Number.isFinite(high)) return [];
  // Numbers that grow with the rows, such as serial numbers, will pass any upper bound.
  if (isUnique(evidence) || measure?.numbers?.drifts) return [];
  const [q1, , q3] = profile.quartiles;
  const spread = high - low;
  const tailed = q3 !== undefined && q1 !== undefined && spread > TAILS * (q3 - q1);
  const room = tailed ? spread : spread / 4;
  const least = low >= 0 ? Math.max(0, low - room) : low - room;
  return [
    expectation(
      "expect_column_values_to_be_between",
      { column: profile.name, min_value: outwards(least, "down"), max_value: outwards(high + room, "up") },
      {
        reason: `All values lie between ${profile.min} and ${profile.max}, rounded outwards; ${tailed ? "the whole" : "a quarter of the"} range is added as room${low >= 0 ? ", but nothing below zero (as Deequ's NonNegativeNumbersRule)" : ""}.`,
      },
    ),
  ];
}

function timeRange({ name, type, min, max }: ColumnProfile): Expectation[] {
  const [low, high] = [millisOf(min), millisOf(max)];
  if (low === null || high === null) return [];
  const latest = high + Math.max(366 * DAY, high - low);
  const earliest = low - Math.max(31 * DAY, (high - low) / 4);
  if (!Number.isFinite(new Date(latest).getTime()) || new Date(latest).getUTCFullYear() > 9999) return [];
  if (new Date(earliest).getUTCFullYear() < 1) return [];
  const text = (millis: number) =>
    type === "DATE" ? new Date(millis).toISOString().slice(0, 10) : `${new Date(millis).toISOString().slice(0, 19)}Z`;
  return [
    expectation(
      "expect_column_values_to_be_between",
      { column: name, min_value: text(earliest).replace("Z", ""), max_value: text(latest).replace("Z", "") },
      {
        reason: `Times lie between ${min} and ${max}; a quarter of the span, at least a month, is room before, and the span, at least a year, is room for later batches.`,
      },
    ),
  ];
}

function quantiles(evidence: ColumnEvidence): Expectation[] {
  const bounds = evidence.measure?.numbers?.quantiles ?? [];
  if (withheld(evidence) || isUnique(evidence) || bounds.length === 0) return [];
  return [
    expectation(
      "expect_column_quantile_values_to_be_between",
      {
        column: evidence.profile.name,
        quantile_ranges: {
          quantiles: bounds.map(({ level }) => level),
          value_ranges: bounds.map(({ low, high }) => [low, high]),
        },
      },
      {
        reason: `Quartiles of ${evidence.measure?.present} sampled values, with binomial bounds of the ranks and two hundredths for drift; they hold in each quarter of the sample.`,
      },
    ),
  ];
}

/** For numbers of few values, whose quantiles jump. */
function mean(evidence: ColumnEvidence, isSet: boolean): Expectation[] {
  const { profile } = evidence;
  const { mean: centre, stddev } = profile;
  // Great Expectations 1.24 fails on the mean of decimals in pandas; their value set has to do.
  if (withheld(evidence) || kindOf(profile.type) !== "number" || profile.type.startsWith("DEC")) return [];
  if (profile.distinctCount < 2n || (!isSet && profile.distinctCount >= FEW_NUMBERS)) return [];
  if (centre === undefined || stddev === undefined || present(evidence) < PROVING_ROWS) return [];
  const slack = meanSlack(stddev, present(evidence));
  const [low, high] = [outwards(centre - slack, "down"), outwards(centre + slack, "up")];
  return [
    expectation(
      "expect_column_mean_to_be_between",
      { column: profile.name, min_value: low, max_value: high },
      {
        reason: "The mean, with the standard errors of two batches and a tenth of a standard deviation for drift.",
        interval: { low, high, confidence: CONFIDENCE, method: "normal" },
      },
    ),
  ];
}

function lengths(evidence: ColumnEvidence, isSet: boolean): Expectation[] {
  const { profile } = evidence;
  const { name, minLength, maxLength } = profile;
  if (isSet || profile.type !== "VARCHAR" || minLength === undefined || maxLength === undefined) return [];
  if (present(evidence) < PROVING_ROWS || maxLength === 0n) return [];
  const [least, most] = [Number(minLength), Number(maxLength)];
  if (least === most) {
    return [
      expectation(
        "expect_column_value_lengths_to_equal",
        { column: name, value: least },
        { reason: `All of ${present(evidence)} texts have ${least} characters.` },
      ),
    ];
  }
  const room = Math.ceil((most - least) / 2);
  return [
    expectation(
      "expect_column_value_lengths_to_be_between",
      { column: name, min_value: Math.max(least > 0 ? 1 : 0, least - room), max_value: most + room },
      { reason: `Texts have ${least} to ${most} characters; half of the range is added as room.` },
    ),
  ];
}

function shape(evidence: ColumnEvidence, isSet: boolean): Expectation[] {
  const { profile, measure } = evidence;
  const pattern = measure?.texts?.pattern;
  if (isSet || profile.type !== "VARCHAR" || present(evidence) < PROVING_ROWS) return [];
  if (!pattern) return notBlank(evidence);
  const { low, high } = wilson(pattern.matched / pattern.texts, pattern.texts);
  const all = pattern.matched === pattern.texts;
  return [
    expectation(
      "expect_column_values_to_match_regex",
      { column: profile.name, regex: pattern.regex, ...(all ? {} : { mostly: mostlyOf(low) }) },
      {
        reason: `${pattern.matched} of ${pattern.texts} sampled texts have this shape.`,
        interval: { low, high, confidence: CONFIDENCE, method: "Wilson" },
      },
    ),
  ];
}

function notBlank({ profile, rowCount }: ColumnEvidence): Expectation[] {
  if (profile.blankCount > 0n) return [];
  return [
    expectation(
      "expect_column_values_to_not_match_regex",
      { column: profile.name, regex: "^\\s*$" },
      { reason: `None of ${rowCount - Number(profile.nullCount)} texts is blank.` },
    ),
  ];
}
