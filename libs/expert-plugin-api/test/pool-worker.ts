import type { WorkerFunction, WorkerIo } from "../src/worker.ts";

export interface PoolJob {
  what: "first batch" | "distinct" | "wait" | "spin" | "hoard" | "throw";
  dataset: string;
}

/** Does one thing that a worker may do, well or badly. */
const perform: WorkerFunction<PoolJob> = async ({ what, dataset }, io) => {
  switch (what) {
    case "first batch":
      return firstBatch(dataset, io);
    case "distinct":
      return io.distinct(dataset, "a", { limit: 2 });
    case "wait":
      await new Promise((resolve) => io.signal?.addEventListener("abort", resolve));
      return "left";
    case "spin":
      for (;;);
    case "hoard":
      for (const kept: object[] = []; ; ) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
    case "throw":
      throw new RangeError("of the worker itself");
  }
};
export default perform;

async function firstBatch(dataset: string, io: WorkerIo): Promise<unknown> {
  for await (const batch of io.read(dataset, { columns: ["a"] })) return batch;
  return undefined;
}
