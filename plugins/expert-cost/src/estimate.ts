import { type ComputeCost, computeCost } from "./compute.ts";
import { prices, type RegionPrices, regionPrices, type StorageClass, storageClass } from "./prices.ts";
import { grown, type StorageCost, storageCost, type Usage } from "./storage.ts";
import type { Terms } from "./terms.ts";
import { type Option, rankedClasses } from "./tiers.ts";

/** Where data lie whose contract names no region: the assumption is said in the finding. */
const ASSUMED_REGION = { vendor: "aws", region: "us-east-1" };

/** The data whose cost is estimated. */
export interface Subject {
  uri: string;
  bytes: number;
  files: number;
}

/** Storage of a month, or why it is unknown. */
export type StorageEstimate =
  | {
      known: true;
      region: RegionPrices;
      kind: StorageClass;
      /** What the contract does not say and is assumed. */
      assumed: string[];
      usage: Usage;
      /** Whether reads are known; otherwise requests and retrieval are left out. */
      readsKnown: boolean;
      cost: StorageCost;
    }
  | { known: false; why: string; remedy: string };

/** All that is known of the cost of a dataset. */
export interface Estimate {
  storage: StorageEstimate;
  compute: ComputeCost;
  /** Storage in twelve months; `undefined` where growth or storage is unknown. */
  inOneYear?: { bytes: number; usd: number };
  /** Classes by cost; `undefined` where the contract does not say how the data are used. */
  options?: Option[];
}

/** Estimates a month of storage and compute from real bytes and the terms of the contract. */
export function estimate(subject: Subject, terms: Terms): Estimate {
  const storage = estimateStorage(subject, terms);
  const region = storage.known ? storage.region : terms.region ? regionPrices(terms.region, terms.vendor) : undefined;
  const result: Estimate = { storage, compute: computeCost(terms, region) };
  if (!storage.known) return result;
  if (terms.growth !== undefined) {
    const bytes = grown(subject.bytes, terms.growth, 12);
    const cost = costOf(storage.region, storage.kind, { ...storage.usage, bytes });
    result.inOneYear = { bytes, usd: cost.total };
  }
  if (storage.readsKnown && rewritesKnown(terms)) {
    const demands = { mayWait: terms.mayWait ?? false, oneZoneIsEnough: terms.oneZoneIsEnough ?? false };
    result.options = rankedClasses(storage.region, storage.usage, demands);
  }
  return result;
}

function estimateStorage(subject: Subject, terms: Terms): StorageEstimate {
  const vendor = terms.vendor ?? vendorOf(subject.uri);
  const region = terms.region
    ? regionPrices(terms.region, vendor)
    : regionPrices(ASSUMED_REGION.region, vendor ?? ASSUMED_REGION.vendor);
  if (!region) return unknownRegion(terms, vendor);
  const kind = storageClass(region, terms.storageClass ?? "standard");
  if (!kind) {
    const listed = region.storage.map(({ id }) => id).join(", ");
    return {
      known: false,
      why: `the price table of ${region.region} has no storage class by the name in storage.class`,
      remedy: `Write one of these in the contract as storage.class: ${listed}.`,
    };
  }
  const usage: Usage = {
    bytes: subject.bytes,
    objects: subject.files,
    copies: terms.copies ?? 1,
    readsPerMonth: terms.fullReadsPerMonth ?? 0,
    rewritesPerMonth: terms.refreshMode === "full" ? (terms.refreshesPerMonth ?? 0) : 0,
  };
  const assumed = [
    ...(terms.region ? [] : [`region ${region.region}`]),
    ...(terms.storageClass ? [] : [kind.name]),
    ...(terms.copies ? [] : ["one copy"]),
  ];
  const readsKnown = terms.fullReadsPerMonth !== undefined;
  return { known: true, region, kind, assumed, usage, readsKnown, cost: costOf(region, kind, usage) };
}

function costOf(region: RegionPrices, kind: StorageClass, usage: Usage): StorageCost {
  return storageCost(kind, usage, region.storage[0] ?? kind);
}

/** Early deletion is billed, so a class can be advised only where it is known how long an object lives. */
function rewritesKnown(terms: Terms): boolean {
  return terms.refreshMode === "append" || (terms.refreshMode === "full" && terms.refreshesPerMonth !== undefined);
}

function vendorOf(uri: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]?.toLowerCase() ?? "";
  return { s3: "aws", s3a: "aws", gs: "gcp", abfs: "azure", abfss: "azure" }[scheme];
}

function unknownRegion(terms: Terms, vendor: string | undefined): StorageEstimate {
  const listed = prices.regions.map((one) => `${one.vendor} ${one.region}`).join(", ");
  const what = terms.region ? "the region in storage.region" : `the region of this ${vendor} dataset`;
  return {
    known: false,
    why: `the price table of ${prices.asOf} has no prices for ${what}`,
    remedy: `Write one of these regions in the contract as storage.region (and storage.vendor): ${listed}.`,
  };
}
