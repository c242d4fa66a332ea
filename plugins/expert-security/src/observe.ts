import { embeddedIn } from "./embedded.ts";
import { type EntityName, entityOf } from "./entities.ts";
import { RECOGNIZERS } from "./recognizers.ts";

/** What one recognizer saw in a column, over its distinct values. */
export interface Match {
  /** Recognizer's key. */
  key: string;
  /** Rows with a value of that shape, as share of the rows looked at that hold a value. */
  share: number;
  /** Distinct values of that shape. */
  candidates: number;
  /** Of them, number whose check digits were tried. */
  tested: number;
  /** Share of those that passes the check digits or rules; 1 where there are none. */
  valid: number;
}

/** What was seen of a column: counts and shapes, never a value. */
export interface Observation {
  column: string;
  /** `scanned`; `empty`: no value in what was read; `timeout`: the time was over before its turn. */
  status: "scanned" | "empty" | "timeout";
  /** Rows read, with and without a value. */
  rows: number;
  present: number;
  /** Distinct values kept, at most the cap. */
  distinct: number;
  /** Matches of some weight, by key. */
  matches: Match[];
  /** Share of rows whose value could be what the column's name says; absent without such a name. */
  fits?: number;
  /** Share of rows whose text holds an entity inside, and the number of those rows. */
  embedded: { entity: EntityName; share: number; rows: number }[];
  /** Most frequent shapes. */
  shapes: { shape: string; share: number }[];
  maxLength: number;
}

const PLACEHOLDER =
  /^(|-+|n\/?a|null|none|nil|nan|unknown|undefined|\?+|\*+|x{3,}|\.|redacted|\[?redacted\]?|0000-00-00)$/i;
const MAX_TEXT = 4096;
/** Candidates whose check digits are tried: enough to tell any rate from chance, whatever a trial costs. */
const MAX_TESTED = 500;

/** Counts the values of a column batch by batch; keeps at most `cap` distinct ones, first come first kept. */
export class ColumnTally {
  readonly column: string;
  readonly cap: number;
  rows = 0;
  present = 0;
  #kept = new Map<string, number>();
  #maxLength = 0;

  constructor(column: string, cap: number) {
    this.column = column;
    this.cap = cap;
  }

  /** Adds one value with the number of its rows. NULL and placeholders (`n/a`, `-`) count as rows without a value. */
  add(value: unknown, count = 1): void {
    this.rows += count;
    const text = textOf(value);
    if (text === undefined) return;
    this.present += count;
    this.#maxLength = Math.max(this.#maxLength, text.length);
    const kept = this.#kept.get(text);
    if (kept !== undefined) this.#kept.set(text, kept + count);
    else if (this.#kept.size < this.cap) this.#kept.set(text, count);
  }

  /** Forgets what was counted: a better reading follows. */
  clear(): void {
    this.rows = this.present = this.#maxLength = 0;
    this.#kept.clear();
  }

  /** What the column looks like; `hint` is the entity that its name says. */
  observe(hint?: EntityName): Observation {
    const kept = [...this.#kept];
    const total = kept.reduce((sum, [, count]) => sum + count, 0);
    const fits = hint ? shareOf(kept, total, entityOf(hint).fits) : undefined;
    return {
      column: this.column,
      status: total === 0 ? "empty" : "scanned",
      rows: this.rows,
      present: this.present,
      distinct: kept.length,
      matches: matchesOf(kept, total),
      ...(fits === undefined ? {} : { fits }),
      embedded: embeddedOf(kept, total),
      shapes: shapesOf(kept, total),
      maxLength: this.#maxLength,
    };
  }
}

/** An observation of a column that nobody got to look at. */
export function unseen(column: string, status: "empty" | "timeout"): Observation {
  return { column, status, rows: 0, present: 0, distinct: 0, matches: [], embedded: [], shapes: [], maxLength: 0 };
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined || typeof value === "boolean") return undefined;
  const text = (typeof value === "object" ? JSON.stringify(value) : String(value)).slice(0, MAX_TEXT).trim();
  return PLACEHOLDER.test(text) ? undefined : text;
}

function shareOf(kept: [string, number][], total: number, test: (value: string) => boolean): number {
  if (total === 0) return 0;
  return kept.reduce((sum, [value, count]) => sum + (test(value) ? count : 0), 0) / total;
}

function matchesOf(kept: [string, number][], total: number): Match[] {
  const matches: Match[] = [];
  for (const { key, maxLength, shape, valid } of RECOGNIZERS) {
    let rows = 0;
    let candidates = 0;
    let tested = 0;
    let passed = 0;
    for (const [value, count] of kept) {
      const bare = value.length <= maxLength ? shape(value) : undefined;
      if (bare === undefined) continue;
      rows += count;
      candidates += 1;
      if (tested === MAX_TESTED) continue;
      tested += 1;
      if (!valid || valid(bare)) passed += 1;
    }
    if (candidates > 0) matches.push({ key, share: rows / total, candidates, valid: passed / tested, tested });
  }
  return matches;
}

function embeddedOf(kept: [string, number][], total: number): Observation["embedded"] {
  const rows = new Map<EntityName, number>();
  for (const [value, count] of kept) {
    for (const entity of embeddedIn(value)) rows.set(entity, (rows.get(entity) ?? 0) + count);
  }
  return [...rows]
    .map(([entity, count]) => ({ entity, rows: count, share: count / total }))
    .sort((a, b) => b.rows - a.rows || (a.entity < b.entity ? -1 : 1));
}

/** Letters as `a`, `A`, digits as `9`; runs of letters are cut at three and all at 24 characters. */
export function shapeOf(value: string): string {
  return value
    .slice(0, 64)
    .replace(/\p{Lu}/gu, "A")
    .replace(/(?!A)[\p{L}\p{M}]/gu, "a")
    .replace(/\p{N}/gu, "9")
    .replace(/A{3,}/g, "AAA")
    .replace(/a{3,}/g, "aaa")
    .slice(0, 24);
}

function shapesOf(kept: [string, number][], total: number): Observation["shapes"] {
  const rows = new Map<string, number>();
  for (const [value, count] of kept) {
    const shape = shapeOf(value);
    rows.set(shape, (rows.get(shape) ?? 0) + count);
  }
  return [...rows]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, 3)
    .map(([shape, count]) => ({ shape, share: count / total }));
}
