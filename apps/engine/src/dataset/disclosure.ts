import type { LeafKind } from "./leaves.ts";
import { namesIdentifier, namesThing, personalWord } from "./name-taxonomy.ts";
import { looksLikeName, patternOf } from "./value-patterns.ts";

/** What is known of a column when its values are judged. */
export interface ColumnFacts {
  readonly name: string;
  readonly kind: LeafKind;
  /** Values that are not NULL. */
  readonly filled: number;
  readonly distinct: number;
  /** Values of a sample of rows, as text. */
  readonly sample: readonly string[];
  /** All distinct values with their counts, where they are few. */
  readonly values?: readonly CountedValue[];
}

/** A value and the number of rows that hold it. */
export interface CountedValue {
  readonly value: string;
  readonly count: number;
}

/** A column with more distinct values than this shows none. */
export const MAX_SHOWN_DISTINCT = 200;
const SMALLEST_CELL = 10;
const SMALLEST_SHARE = 0.001;
const LONGEST_SHOWN = 80;
const NEAR_UNIQUE = 0.9;
const NAME_SHARE = 0.3;
const FREE_TEXT_LENGTH = 40;
const FREE_TEXT_WORDS = 5;
const FREE_TEXT_SHARE = 0.1;
const IDENTIFIER_DIGITS = 7;

/** Why no value of a column may leave the worker; empty where values may. Errs on the side of hiding. */
export function whyWithheld(facts: ColumnFacts): string {
  if (facts.kind === "boolean") return "";
  if (facts.kind === "blob" || facts.kind === "other") return "the values are opaque";
  const word = personalWord(facts.name);
  if (word) return `the name of the column speaks of personal data (${word})`;
  if (namesIdentifier(facts.name)) return "the values are identifiers";
  if (facts.kind === "text") return whyTextWithheld(facts);
  return facts.kind === "time" ? "" : whyNumberWithheld(facts);
}

function whyTextWithheld(facts: ColumnFacts): string {
  const texts = [...facts.sample, ...(facts.values ?? []).map(({ value }) => value)];
  for (const text of texts) {
    const pattern = patternOf(text);
    if (pattern) return `values look like ${pattern}`;
  }
  const share = (test: (text: string) => boolean) => texts.filter(test).length / Math.max(1, texts.length);
  if (share((text) => isFreeText(text)) > FREE_TEXT_SHARE) return "the values are free text";
  const distinct = [...new Set(texts)];
  const names = distinct.filter(looksLikeName).length / Math.max(1, distinct.length);
  if (names >= NAME_SHARE && !namesThing(facts.name)) return "values look like names of people";
  if (facts.filled > 1 && facts.distinct >= facts.filled * NEAR_UNIQUE)
    return "nearly every row has a value of its own";
  return "";
}

function isFreeText(text: string): boolean {
  return text.length > FREE_TEXT_LENGTH || text.split(/\s+/, FREE_TEXT_WORDS).length >= FREE_TEXT_WORDS;
}

/** Long whole numbers are ids, phone or card numbers unless they vary in length as quantities do. */
function whyNumberWithheld(facts: ColumnFacts): string {
  const lengths = facts.sample.map((text) => /^-?(\d+)(\.0+)?$/.exec(text)?.[1]?.length ?? 0);
  const long = lengths.filter((length) => length >= IDENTIFIER_DIGITS).length / Math.max(1, lengths.length);
  const many = facts.distinct > MAX_SHOWN_DISTINCT || facts.distinct >= facts.filled * 0.5;
  return long >= NEAR_UNIQUE && many ? "the values are long numbers, as identifiers are" : "";
}

/**
 * The values that may be shown of a column that is not withheld, most frequent first: none where there are more than
 * {@link MAX_SHOWN_DISTINCT}, and none that fewer than 10 rows, or than 0.1 % of the rows, hold.
 */
export function shownValues(facts: ColumnFacts, rowCount: number, limit = 20): CountedValue[] {
  if (facts.distinct > MAX_SHOWN_DISTINCT || !facts.values) return [];
  const least = Math.max(SMALLEST_CELL, Math.ceil(rowCount * SMALLEST_SHARE));
  return facts.values
    .filter(({ value, count }) => count >= least && value.length <= LONGEST_SHOWN)
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, limit);
}
