import type { RegionPrices } from "./prices.ts";
import type { Terms } from "./terms.ts";

/** Compute of a month, or what is missing to know it. */
export type ComputeCost =
  | { known: true; usd: number; runs: number; hours: number; executors: number; price: number; priceSource: string }
  | { known: false; missing: string[] };

/** Runs × hours × executors × price, from the contract's pipeline; nothing is assumed. */
export function computeCost(terms: Terms, region: RegionPrices | undefined): ComputeCost {
  const { hoursPerRun: hours, executors } = terms;
  const runs = terms.runsPerMonth ?? terms.refreshesPerMonth;
  const listed = terms.executorType === undefined ? undefined : region?.computeUsdPerHour[terms.executorType];
  const price = terms.executorPricePerHour ?? listed;
  if (runs === undefined || hours === undefined || executors === undefined || price === undefined) {
    const needed = { runs_per_month: runs, hours_per_run: hours, executors, executor_price_per_hour: price };
    const missing = Object.entries(needed).filter(([, value]) => value === undefined);
    return { known: false, missing: missing.map(([name]) => `pipeline.${name}`) };
  }
  const priceSource = terms.executorPricePerHour === undefined ? `list price of ${terms.executorType}` : "contract";
  return { known: true, usd: runs * hours * executors * price, runs, hours, executors, price, priceSource };
}
