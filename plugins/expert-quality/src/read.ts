import type { WorkerIo } from "@odg/expert-plugin-api/worker";

/** Columns of a dataset, held in memory. */
export interface ReadRows {
  rowCount: number;
  values: Map<string, unknown[]>;
}

/** Reads a seeded sample of `rows` rows. Columns that a batch lacks are NULL there. */
export async function readRows(
  io: WorkerIo,
  { dataset, columns, rows }: { dataset: string; columns: string[]; rows: number },
): Promise<ReadRows> {
  const values = new Map(columns.map((name): [string, unknown[]] => [name, []]));
  let rowCount = 0;
  if (columns.length === 0) return { rowCount, values };
  for await (const batch of io.read(dataset, { columns, sample: rows })) {
    io.signal?.throwIfAborted();
    rowCount += batch.rowCount;
    for (const [name, column] of values) {
      const read = Object.hasOwn(batch.columns, name) ? batch.columns[name] : undefined;
      for (let row = 0; row < batch.rowCount; row += 1) column.push(read?.[row] ?? null);
    }
  }
  return { rowCount, values };
}
