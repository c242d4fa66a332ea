import type { WorkerFunction } from "@odg/expert-plugin-api";

const work: WorkerFunction<{ dataset: string; what: string }, number> = async ({ dataset, what }, io) => {
  if (what === "distinct") return (await io.distinct(dataset, "id")).length;
  if (what !== "read") return 1;
  let rows = 0;
  for await (const batch of io.read(dataset)) rows += batch.rowCount;
  return rows;
};
export default work;
