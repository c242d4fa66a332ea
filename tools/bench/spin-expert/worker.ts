import type { WorkerFunction } from "@odg/expert-plugin-api";

/** Computes for a while, and gives nothing back meanwhile. */
export function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

const work: WorkerFunction<{ ms: number }, object> = async ({ ms }) => {
  spin(ms);
  return {};
};
export default work;
