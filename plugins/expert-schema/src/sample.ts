import { COUNTRIES_2, COUNTRIES_3, CURRENCIES } from "./codes.ts";
import type { EncodedColumn } from "./encode.ts";
import { countSpelling, emptySpelling, type SpellingCounts } from "./logical-type.ts";

/** What the sample says of a column: counts only, never a value. */
export interface ColumnFacts {
  name: string;
  /** Rows of the sample with a value. */
  present: number;
  /** Different values among them. */
  distinct: number;
  /** Only where the values are texts. */
  texts?: TextFacts;
}

/** Counts over the texts of a column, weighted by rows. */
export interface TextFacts {
  spelling: SpellingCounts;
  email: number;
  url: number;
  ipAddress: number;
  currency: number;
  country: number;
  /** Texts of three words or more. */
  manyWords: number;
  /** All texts have this length, in characters; 0 where lengths differ. */
  fixedLength: number;
}

const EMAIL = /^[^\s@]{1,64}@[^\s@.]{1,63}(\.[^\s@.]{1,63}){1,8}$/;
const URL_ = /^(https?|ftp|s3):\/\/\S+$/i;
const IPV4 = /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/;
const LONGEST = 2_000;

/** Facts of a column of the sample. Every distinct value is looked at once. */
export function columnFacts(column: EncodedColumn): ColumnFacts {
  const facts: ColumnFacts = {
    name: column.name,
    present: column.codes.length - column.nulls,
    distinct: column.values.length,
  };
  if (column.values.some((value) => typeof value === "string")) facts.texts = textFacts(column);
  return facts;
}

function textFacts({ values, counts }: EncodedColumn): TextFacts {
  const facts: TextFacts = {
    spelling: emptySpelling(),
    email: 0,
    url: 0,
    ipAddress: 0,
    currency: 0,
    country: 0,
    manyWords: 0,
    fixedLength: 0,
  };
  const lengths = new Set<number>();
  for (const [code, value] of values.entries()) {
    if (typeof value !== "string") continue;
    const count = counts[code] ?? 0;
    lengths.add(value.length);
    countSpelling(
      facts.spelling,
      value.length > LONGEST && !/^[[{]/.test(value) ? value.slice(0, LONGEST) : value,
      count,
    );
    countSemantics(facts, value.slice(0, LONGEST).trim(), count);
  }
  facts.fixedLength = lengths.size === 1 ? ([...lengths][0] ?? 0) : 0;
  return facts;
}

function countSemantics(facts: TextFacts, text: string, count: number): void {
  if (EMAIL.test(text)) facts.email += count;
  if (URL_.test(text)) facts.url += count;
  if (IPV4.test(text)) facts.ipAddress += count;
  if (CURRENCIES.has(text)) facts.currency += count;
  if (COUNTRIES_2.has(text) || COUNTRIES_3.has(text)) facts.country += count;
  if (/\S\s+\S+\s+\S/.test(text)) facts.manyWords += count;
}
