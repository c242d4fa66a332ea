import type { WorkerFunction } from "../worker.ts";

const countRows: WorkerFunction<{ dataset: string }, number> = async ({ dataset }, io) => {
  let rows = 0;
  for await (const batch of io.read(dataset)) rows += batch.rowCount;
  return rows;
};
export default countRows;
