import { tokensOf } from "./names.ts";

/** Columns that together identify a row. */
export interface Key {
  columns: string[];
  /** Whether it was counted exactly on all rows; otherwise on the sample, or from an estimate. */
  exact: boolean;
  /** `all rows` or `sample of n rows`. */
  checked_on: string;
  /** From 0 to 1: see the README. */
  confidence: number;
}

/** What deciding on keys needs to know of a column. */
export interface KeyColumn {
  name: string;
  type: string;
  nullCount: number;
  distinctCount: number;
  distinctExact: boolean;
}

/** HyperLogLog estimates are off by about 2 %: three times that keeps true keys in (Flajolet et al. 2007). */
const ESTIMATE_SLACK = 0.06;

/** Below this many rows, unique columns are common by accident. */
const FEW_ROWS = 30;

const MEASURED = /^(FLOAT|DOUBLE|REAL|DECIMAL|TIME|INTERVAL|BLOB|BOOLEAN)/;

/** Whether a column of this type can be meant as a key: numbers with fractions and points in time are unique by accident only. */
export function canBeKey(type: string): boolean {
  return !MEASURED.test(type) && !/\[|STRUCT|MAP|LIST/.test(type);
}

/** Columns that may identify a row by their counts, most natural first; estimates still have to be checked. */
export function keyCandidates(columns: KeyColumn[], rowCount: number, table: string): KeyColumn[] {
  if (rowCount < 2) return [];
  return columns
    .filter(({ nullCount, type, name }) => nullCount === 0 && canBeKey(type) && !name.includes("[]"))
    .filter((one) =>
      one.distinctExact ? one.distinctCount === rowCount : one.distinctCount >= rowCount * (1 - ESTIMATE_SLACK),
    )
    .map((column, index) => ({ column, rank: keyRank(column, table) - index / (columns.length + 1) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ column }) => column);
}

/** How much a column looks like an identifier, from 0: its name, the name's likeness to the table's, its type. */
export function keyRank({ name, type }: Pick<KeyColumn, "name" | "type">, table: string): number {
  const tokens = tokensOf(name);
  const last = tokens.at(-1) ?? "";
  let rank = 0;
  if (["id", "uuid", "guid", "key", "pk", "sk"].includes(last)) rank += 4;
  else if (["code", "number", "no", "nr", "num", "sku", "isin"].includes(last)) rank += 2;
  if (tokens.length === 1 && rank >= 4) rank += 3;
  const tableTokens = tokensOf(table).map(singular);
  const mine = tokens.slice(0, -1).map(singular);
  if (mine.length > 0 && mine.every((token) => tableTokens.includes(token))) {
    // The last word of a table's name says what a row is: customer_transactions holds transactions.
    rank += mine.includes(tableTokens.at(-1) ?? "") ? 3 : 1;
  }
  if (/INT|UUID/.test(type)) rank += 1;
  return rank;
}

/** How sure a unique column is to be a key: the name says it is meant, the number of rows that it is no accident. */
export function keyConfidence(rank: number, rowCount: number, exact: boolean): number {
  const meant = rank >= 4 ? 0.98 : rank >= 2 ? 0.9 : 0.75;
  const manyRows = rowCount >= FEW_ROWS ? 1 : 0.6;
  return Math.round(meant * manyRows * (exact ? 1 : 0.9) * 100) / 100;
}

function singular(word: string): string {
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  return word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}
