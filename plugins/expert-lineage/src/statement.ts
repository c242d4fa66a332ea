/** A table named in SQL. Names keep their spelling and lose their quotes; they compare by {@link tableKey}. */
export interface TableUse {
  /** Dotted name: `sales.orders`. */
  name: string;
  /** Line in the file, from 1. */
  line: number;
}

/** A column of a table. */
export interface ColumnName {
  /** Dotted name of the table; `null` where the SQL leaves open which of several it is. */
  table: string | null;
  /** Name of the column, `*` for all of them, the expression's text where it has no name. */
  column: string;
}

/** How a value gets from one column to another. */
export type Transform = "identity" | "transformation" | "aggregation";

/** A value flows from one column to another. */
export interface ColumnEdge {
  from: ColumnName;
  to: ColumnName;
  transform: Transform;
}

/** What one SQL statement does to tables. */
export interface Statement {
  /** Its kind, in words of SQL: `create table`, `insert`, `merge`, `select` … */
  kind: string;
  /** Line where it begins, from 1. */
  line: number;
  /** What it writes; left out where it only reads. */
  target?: TableUse;
  /** Whether the target lives no longer than the session. */
  temporary?: boolean;
  /** What it reads, each table once per line, in the order of the text. CTEs are not sources. */
  sources: TableUse[];
  /** Column by column, as far as the SQL says. */
  columns: ColumnEdge[];
  /** Tables that are dropped, or the old name of a renamed one. */
  dropped?: string[];
  /** For a rename: the target goes on under the data of this one. */
  renamedFrom?: string;
}

/** A stretch of SQL that no dialect could read. */
export interface SyntaxFault {
  line: number;
  /** The parser's message without any text of the file. */
  message: string;
}

/** What a parser found in one file. */
export interface ParsedScript {
  statements: Statement[];
  faults: SyntaxFault[];
  /** Dialect that read the file, or most of it. */
  dialect: string;
  /** The lines of the file with comments taken out and literals masked: what may be shown as evidence. */
  shownLines: string[];
}

/** Columns of a table that is known from elsewhere; they resolve `*` and names without a table. */
export type KnownTables = Record<string, string[]>;

/** How to read a file. */
export interface ParseOptions {
  /** Dialect to try first. */
  dialect?: string;
  tables?: KnownTables;
  /** Tables whose column edges are wanted, since they take most of the time; default: all. Those of temporary tables always are. */
  columnsOf?: (table: string) => boolean;
}

/** Reads SQL. Total: what cannot be read is a fault of the script, never an exception. */
export interface SqlParser {
  parse(text: string, options?: ParseOptions): ParsedScript;
}

/**
 * The identity of a table name. Case is ignored, quoted or not: of the warehouses that tell `"Orders"` from `orders`,
 * hardly any holds both, and files spell one table in several ways.
 */
export function tableKey(name: string): string {
  return name.toLowerCase();
}

/** Whether a table name of SQL means the dataset of that name: by its last part, or by its file without the ending. */
export function isCalled(table: string, dataset: string): boolean {
  return shortName(table) === tableKey(dataset) || tableKey(table) === tableKey(dataset);
}

/** The last part of a table name without a file ending: what a dataset beside the SQL would be called. */
export function shortName(name: string): string {
  const file = /[/\\]/.test(name) || /\.(parquet|csv|tsv|json|ndjson|jsonl)(\.gz)?$/i.test(name);
  if (!file) return tableKey(name.slice(name.lastIndexOf(".") + 1));
  return tableKey(name.replace(/^.*[/\\]/, "").replace(/(\.[a-z]+)(\.gz)?$/i, ""));
}
