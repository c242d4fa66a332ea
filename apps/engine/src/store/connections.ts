/** A statement that is prepared once per connection. */
export interface Statement {
  name: string;
  text: string;
}

/** Rows as the driver reads them: a bigint is text, a number or a bigint. */
export type Row = Record<string, unknown>;

/** The ways to the database beside Kysely's: for what is asked thousands of times a second, and for news. */
export interface Connections {
  /** Commits that may be under way at once. */
  readonly lanes: number;
  /** In a transaction of its own. */
  query(statement: Statement, parameters: readonly unknown[]): Promise<Row[]>;
  /** Calls back, about now, when some engine has notified. Other engines' notifications may be missed while the database is away. */
  listen(channel: string, callback: () => void): Promise<void>;
  close(): Promise<void>;
}
