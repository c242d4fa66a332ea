/** What one text spells. `code`: digits that are no number, because a leading zero or their length would be lost. */
export type Spelling = "integer" | "code" | "decimal" | "boolean" | "date" | "timestamp" | "uuid" | "json" | "text";

/** How many of a column's texts spell what, and in which form. Blank texts and words for "nothing" stand apart. */
export interface SpellingCounts {
  spelled: Partial<Record<Spelling, number>>;
  /** Empty or white space only. */
  blank: number;
  /** Words that stand for NULL: NA, null, none … */
  nullWords: number;
  /** Dates by the order of their parts; `either` where day and month could change places. */
  dateOrder: Partial<Record<DateOrder, number>>;
  /** Numbers with a decimal comma. */
  decimalComma: number;
  /** Timestamps that name their zone. */
  zoned: number;
}

/** Order of day, month and year in a date. */
export type DateOrder = "ymd" | "dmy" | "mdy" | "either";

/** The type that a text column's values really have. */
export interface LogicalType {
  /** `integer`, `decimal`, `boolean`, `date`, `timestamp`, `uuid`, `json`, `code` or `text`. */
  type: Spelling;
  /** Share of the texts that spell it; blanks and words for NULL are left out. */
  share: number;
  /** How it is written, where that must be known to convert it. */
  format?: string;
  /** Texts counted. */
  texts: number;
}

const INTEGER = /^[+-]?(0|[1-9]\d*)$/;
const DIGITS = /^\d+$/;
const DECIMAL = /^[+-]?(0|[1-9]\d*)?\.\d+$|^[+-]?(0|[1-9]\d*)\.$|^[+-]?\d(\.\d+)?[eE][+-]\d{1,3}$/;
const DECIMAL_COMMA = /^[+-]?(0|[1-9]\d*),\d+$/;
const BOOLEAN = /^(true|false|yes|no|t|f|y|n|sim|não|nao|ja|nein|oui|non)$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NULL_WORD = /^(na|n\/a|n\.a\.|null|none|nil|nan|-|--|#n\/a|\\n|undefined|unknown)$/i;
const DATE = /^(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})$/;
const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(:(\d{2})([.,]\d{1,9})?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?$/;

/** A BIGINT holds every number of 18 digits, not every one of 19. */
const BIGINT_DIGITS = 18;

/** Counts for a column of which nothing is known yet. */
export function emptySpelling(): SpellingCounts {
  return { spelled: {}, blank: 0, nullWords: 0, dateOrder: {}, decimalComma: 0, zoned: 0 };
}

/** Adds a text that occurs `count` times. */
export function countSpelling(counts: SpellingCounts, raw: string, count = 1): void {
  const text = raw.trim();
  if (text === "") {
    counts.blank += count;
    return;
  }
  if (NULL_WORD.test(text)) {
    counts.nullWords += count;
    return;
  }
  const spelling = spellingOf(text);
  counts.spelled[spelling] = (counts.spelled[spelling] ?? 0) + count;
  if (spelling === "date") {
    const order = dateOrder(text) ?? "either";
    counts.dateOrder[order] = (counts.dateOrder[order] ?? 0) + count;
  }
  if (spelling === "decimal" && DECIMAL_COMMA.test(text)) counts.decimalComma += count;
  if (spelling === "timestamp" && TIMESTAMP.exec(text)?.[9]) counts.zoned += count;
}

/** What a text, without white space around it, spells. Linear in its length. */
export function spellingOf(text: string): Spelling {
  if (INTEGER.test(text)) return text.replace(/^[+-]/, "").length > BIGINT_DIGITS ? "code" : "integer";
  if (DIGITS.test(text)) return "code";
  if (DECIMAL.test(text) || DECIMAL_COMMA.test(text)) return "decimal";
  if (BOOLEAN.test(text)) return "boolean";
  if (UUID.test(text)) return "uuid";
  if (dateOrder(text)) return "date";
  if (isTimestamp(text)) return "timestamp";
  if (isJson(text)) return "json";
  return "text";
}

/** The order of a date's parts; `undefined` for what is no day of the calendar. */
export function dateOrder(text: string): DateOrder | undefined {
  const parts = DATE.exec(text);
  if (!parts) return undefined;
  const [first, second, third] = [Number(parts[1]), Number(parts[3]), Number(parts[4])];
  if (parts[1]?.length === 4) return isDay(first, second, third) && (parts[4]?.length ?? 0) <= 2 ? "ymd" : undefined;
  if ((parts[1]?.length ?? 0) > 2 || parts[4]?.length !== 4) return undefined;
  const dayFirst = isDay(third, second, first);
  const monthFirst = isDay(third, first, second);
  if (dayFirst && monthFirst) return "either";
  if (dayFirst) return "dmy";
  return monthFirst ? "mdy" : undefined;
}

function isTimestamp(text: string): boolean {
  const parts = TIMESTAMP.exec(text);
  if (!parts) return false;
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[7] ?? 0)];
  return isDay(Number(parts[1]), Number(parts[2]), Number(parts[3])) && hour < 24 && minute < 60 && second <= 60;
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

function isJson(text: string): boolean {
  if (!/^[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A text that does not parse is no JSON: that is the answer, not a fault.
    return false;
  }
}

/**
 * The logical type of a text column. Every text must spell the type: one leading zero keeps digits a code, one word keeps
 * a column text. `share` below 1 says how far the most frequent spelling is from being the type.
 */
export function logicalType(counts: SpellingCounts): LogicalType {
  const spelled = merged(counts);
  const texts = Object.values(spelled).reduce((sum, one) => sum + one, 0);
  if (texts === 0) return { type: "text", share: 0, texts: 0 };
  const ranked = (Object.entries(spelled) as [Spelling, number][]).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const [type, count] = ranked[0] ?? ["text", texts];
  const format = formatOf(type, counts);
  return { type, share: count / texts, texts, ...(format ? { format } : {}) };
}

/** An integer is also a decimal, a date also a timestamp, and all digits are codes where some are. */
function merged({ spelled }: SpellingCounts): Partial<Record<Spelling, number>> {
  const all = { ...spelled };
  fold(all, "integer", "code");
  fold(all, "integer", "decimal");
  fold(all, "date", "timestamp");
  return all;
}

function fold(all: Partial<Record<Spelling, number>>, narrow: Spelling, wide: Spelling): void {
  if (!all[narrow] || !all[wide]) return;
  all[wide] += all[narrow];
  delete all[narrow];
}

function formatOf(type: Spelling, counts: SpellingCounts): string | undefined {
  if (type === "decimal" && counts.decimalComma > 0) return "decimal comma";
  if (type === "timestamp") return counts.zoned > 0 ? "ISO 8601 with zone" : "ISO 8601 without zone";
  if (type !== "date") return undefined;
  const { ymd = 0, dmy = 0, mdy = 0, either = 0 } = counts.dateOrder;
  if ((dmy > 0 && mdy > 0) || (ymd > 0 && dmy + mdy + either > 0)) return "mixed orders";
  if (ymd > 0) return "year-month-day";
  if (dmy > 0) return "day-month-year";
  return mdy > 0 ? "month-day-year" : "day and month cannot be told apart";
}

const NARROWER: Partial<Record<Spelling, Spelling[]>> = {
  decimal: ["integer"],
  timestamp: ["date"],
  code: ["integer"],
};

/** Whether a text can be read as the type: blanks and words for NULL always can. */
export function spells(raw: string, type: Spelling): boolean {
  const text = raw.trim();
  if (text === "" || NULL_WORD.test(text)) return true;
  const spelling = spellingOf(text);
  return spelling === type || Boolean(NARROWER[type]?.includes(spelling));
}
