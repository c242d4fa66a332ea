/**
 * What a worker module is: a file whose default export is a {@link WorkerFunction}. It runs in a pool thread, away from
 * the event loop; only plain data (what `structuredClone` copies and JSON can hold) goes in and out.
 */

/** Rows, column by column. Nested leaves stand under their dotted path. */
export interface Batch {
  /** Number of rows: the length of every column. */
  rowCount: number;
  /** Values by leaf column. NULL is `null`; integers beyond 2^53, decimals and times are text. */
  columns: Record<string, unknown[]>;
}

/** What to read. */
export interface ReadOptions {
  /** Leaf columns; left out: all. */
  columns?: string[];
  /** Number of rows to sample, by a fixed seed; left out: all rows, in the order of the file. */
  sample?: number;
}

/** A value and the number of rows that hold it. */
export interface DistinctValue {
  value: unknown;
  count: number;
}

/** Data access of a worker. Raw values may be read here, and must not leave. */
export interface WorkerIo {
  /** Reads a dataset that the task was granted, in batches. */
  read(uri: string, options?: ReadOptions): AsyncIterable<Batch>;
  /** Distinct values of one column, most frequent first, ties by value; at most `limit` (default 1,000). NULL is left out. */
  distinct(uri: string, column: string, options?: { limit?: number }): Promise<DistinctValue[]>;
  /** Aborted when the task is. */
  signal?: AbortSignal;
}

/** The default export of a worker module. */
export type WorkerFunction<I = unknown, O = unknown> = (input: I, io: WorkerIo) => Promise<O> | O;
