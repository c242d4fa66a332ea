import type { WorkerIo } from "@odg/expert-plugin-api";

interface Input {
  readonly uri: string;
  readonly column: string;
  readonly spin?: boolean;
}

/** Counts rows and distinct values of a column; or spins until it is ended. */
export default async function count({ uri, column, spin }: Input, io: WorkerIo): Promise<object> {
  while (spin) Math.sqrt(2);
  let rows = 0;
  for await (const batch of io.read(uri, { columns: [column] })) rows += batch.rowCount;
  return { rows, distinct: await io.distinct(uri, column, { limit: 3 }), hasSignal: io.signal?.aborted === false };
}
