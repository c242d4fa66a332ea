import { plainArray, textArray } from "./array-literal.ts";

type Cell = number | bigint | string | null;

/**
 * Rows that travel to the database as one array per column. Which parameters of the statement they are is counted by whoever writes the
 * statement; the order is that of the columns.
 */
export class RowSet<Column extends string> {
  /** How the statement names the rows: `unnest($1::int[], …) as t(n, …)`. */
  readonly source: string;
  #types: readonly [Column, string][];
  #first: number;

  /**
   * @param types Postgres' type of each column.
   * @param first Number of its first parameter.
   */
  constructor(types: Record<Column, string>, first: number) {
    this.#types = Object.entries(types) as [Column, string][];
    this.#first = first;
    const parameters = this.#types.map(([, type], i) => `$${first + i}::${type}[]`);
    this.source = `unnest(${parameters.join(", ")}) as t(${this.#types.map(([column]) => column).join(", ")})`;
  }

  /** Number of the first parameter after these. */
  get next(): number {
    return this.#first + this.#types.length;
  }

  /** The value of a column in the row whose number, from 1, is in `n`. */
  at(column: Column): string {
    const place = this.#types.findIndex(([name]) => name === column);
    return `($${this.#first + place}::${this.#types[place]?.[1]}[])[n]`;
  }

  /** The parameters for these rows. */
  parameters(rows: readonly Record<Column, Cell>[]): string[] {
    return this.#types.map(([column, type]) => {
      const values = rows.map((row) => row[column]);
      return type === "text"
        ? textArray(values.map((value) => (value === null ? null : String(value))))
        : plainArray(values);
    });
  }
}
