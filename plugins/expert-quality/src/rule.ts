import type { Kind } from "./kinds.ts";

/** Arguments that do not fit, or values that cannot be compared. */
export class RuleError extends Error {}

/** The column that a rule looks at. */
export interface Subject {
  values: readonly unknown[];
  /** DuckDB's type, where it is known. */
  type?: string;
  kind?: Kind;
}

/** Rows to check, column by column. */
export interface Rows {
  columns: Record<string, readonly unknown[]>;
  /** Names in the table's order; left out: the order of `columns`. */
  names?: string[];
  /** DuckDB's type by column; without one, values are compared as they are. */
  types?: Record<string, string>;
  /** Rows in `columns`. */
  rowCount: number;
  /** Rows of the whole table, where `columns` holds a sample of it. */
  tableRows?: number;
}
