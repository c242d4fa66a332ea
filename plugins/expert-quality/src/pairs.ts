import { comparable, type Kind } from "./kinds.ts";

/** In every row of the sample, `greater` is not less than `smaller`. */
export interface OrderedPair {
  greater: string;
  smaller: string;
  /** Rows where both have a value. */
  rows: number;
  /** Rows that would break the rule if the columns were paired at random. */
  expectedViolations: number;
}

/** A rule is believed where at least this share of random pairings breaks it, and none of the true ones. */
const LEAST_VIOLATIONS = 0.02;
const LEAST_ROWS = 200;
const MOST_COLUMNS = 24;

/** Pairs of times, or of numbers, of which one is never less than the other though their ranges overlap. */
export function orderedPairs(columns: { name: string; kind: Kind; values: readonly unknown[] }[]): OrderedPair[] {
  const usable = columns
    .filter(({ kind }) => kind === "time" || kind === "number")
    .slice(0, MOST_COLUMNS)
    .map(({ name, kind, values }) => ({ name, kind, values: values.map((value) => comparable(value, kind)) }));
  const found: OrderedPair[] = [];
  for (const left of usable) {
    for (const right of usable) {
      if (left === right || left.kind !== right.kind) continue;
      const pair = compare(left, right);
      if (pair) found.push(pair);
    }
  }
  return found;
}

type Column = { name: string; values: unknown[] };

function compare(left: Column, right: Column): OrderedPair | undefined {
  const rows: [number, number][] = [];
  for (const [row, a] of left.values.entries()) {
    const b = right.values[row];
    if (typeof a !== "number" || typeof b !== "number") continue;
    if (a < b) return undefined;
    rows.push([a, b]);
  }
  if (rows.length < LEAST_ROWS || rows.every(([a, b]) => a === b)) return undefined;
  const expectedViolations = Math.round(shuffledViolations(rows));
  if (expectedViolations < rows.length * LEAST_VIOLATIONS) return undefined;
  return { greater: left.name, smaller: right.name, rows: rows.length, expectedViolations };
}

/** How often the left value is less than the right one of another row: shifts stand for shuffles, and are the same each time. */
function shuffledViolations(rows: [number, number][]): number {
  const shifts = [1, 7, 31, 101];
  let violations = 0;
  for (const shift of shifts) {
    for (const [row, [a]] of rows.entries()) {
      const other = rows[(row + shift) % rows.length];
      if (other && a < other[1]) violations += 1;
    }
  }
  return violations / shifts.length;
}
