/** One column of a sample as numbers: each distinct value has a code, so that comparing rows is comparing integers. */
export interface EncodedColumn {
  name: string;
  /** Code per row; -1 for NULL. */
  codes: number[];
  /** Value per code. */
  values: unknown[];
  /** Rows per code. */
  counts: number[];
  nulls: number;
}

/** Builds {@link EncodedColumn}s batch by batch. */
export class ColumnEncoder {
  readonly column: EncodedColumn;
  #codeOf = new Map<unknown, number>();

  constructor(name: string) {
    this.column = { name, codes: [], values: [], counts: [], nulls: 0 };
  }

  add(values: readonly unknown[]): void {
    for (const value of values) this.column.codes.push(this.#encode(value));
  }

  #encode(value: unknown): number {
    if (value === null || value === undefined) {
      this.column.nulls += 1;
      return -1;
    }
    const key = typeof value === "object" ? JSON.stringify(value) : value;
    let code = this.#codeOf.get(key);
    if (code === undefined) {
      code = this.column.values.length;
      this.#codeOf.set(key, code);
      this.column.values.push(key);
      this.column.counts.push(0);
    }
    this.column.counts[code] = (this.column.counts[code] ?? 0) + 1;
    return code;
  }
}

/** Encodes a whole column at once. */
export function encodeColumn(name: string, values: readonly unknown[]): EncodedColumn {
  const encoder = new ColumnEncoder(name);
  encoder.add(values);
  return encoder.column;
}
