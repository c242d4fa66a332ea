import type { RegionPrices, StorageClass } from "./prices.ts";
import { type StorageCost, storageCost, type Usage } from "./storage.ts";

/** What the data demand of a storage class. */
export interface Demands {
  /** Whether a read may wait for hours. */
  mayWait: boolean;
  /** Whether the loss of one zone may lose the data. */
  oneZoneIsEnough: boolean;
}

/** A storage class and what it would cost a month. */
export interface Option {
  kind: StorageClass;
  cost: StorageCost;
}

/** Every class of a region that meets the demands, cheapest first; equal costs in the order of the price table. */
export function rankedClasses(region: RegionPrices, usage: Usage, demands: Demands): Option[] {
  const [standard] = region.storage;
  if (!standard) return [];
  return region.storage
    .filter((kind) => (kind.instant || demands.mayWait) && (kind.zones === "several" || demands.oneZoneIsEnough))
    .map((kind) => ({ kind, cost: storageCost(kind, usage, standard) }))
    .sort((a, b) => a.cost.total - b.cost.total);
}
