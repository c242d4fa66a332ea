import type { StorageClass } from "./prices.ts";

const GIB = 2 ** 30;
/** 730 h: the month that the vendors' calculators use. */
export const DAYS_PER_MONTH = 730 / 24;

/** What is stored and how it is used. */
export interface Usage {
  /** Bytes of one copy. */
  bytes: number;
  /** Objects (files) of one copy. */
  objects: number;
  /** Copies that are kept, at least 1. */
  copies: number;
  /** How often a month the whole dataset is read. */
  readsPerMonth: number;
  /** How often a month it is written anew as a whole, deleting the old objects; 0: never. */
  rewritesPerMonth: number;
}

/** Monthly cost by part, in USD, unrounded. */
export interface StorageCost {
  /** GiB of one copy as billed: with minimum object size, overhead and minimum days. */
  billedGib: number;
  capacity: number;
  requests: number;
  retrieval: number;
  total: number;
}

/**
 * What a month of a storage class costs.
 *
 * An object lives `month / rewrites` days and is billed at least the class's minimum days; each rewrite puts and each
 * read gets every object once. Sources: the pricing pages named in prices.json.
 */
export function storageCost(kind: StorageClass, usage: Usage, standard: StorageClass): StorageCost {
  const billedBytes =
    Math.max(usage.bytes, usage.objects * kind.minimumObjectBytes) + usage.objects * kind.overheadBytes.own;
  const lifeDays = usage.rewritesPerMonth > 0 ? DAYS_PER_MONTH / usage.rewritesPerMonth : Number.POSITIVE_INFINITY;
  const stretch = Math.max(1, kind.minimumDays / lifeDays);
  const billedGib = (billedBytes / GIB) * stretch;
  const overheadGib = ((usage.objects * kind.overheadBytes.standard) / GIB) * stretch;
  const capacity =
    stepped(kind.usdPerGibMonth, billedGib * usage.copies) +
    stepped(standard.usdPerGibMonth, overheadGib * usage.copies);
  const puts = usage.objects * usage.rewritesPerMonth * usage.copies;
  const gets = usage.objects * usage.readsPerMonth;
  const requests = (puts / 1000) * kind.putUsdPer1000 + (gets / 1000) * kind.getUsdPer1000;
  const retrieval = (usage.bytes / GIB) * usage.readsPerMonth * kind.retrievalUsdPerGib;
  return { billedGib, capacity, requests, retrieval, total: capacity + requests + retrieval };
}

/** Price of an amount whose unit price falls in steps. */
export function stepped(steps: StorageClass["usdPerGibMonth"], gib: number): number {
  let [sum, from] = [0, 0];
  for (const { upToGib, usd } of steps) {
    const to = Math.min(gib, upToGib ?? Number.POSITIVE_INFINITY);
    if (to > from) sum += (to - from) * usd;
    from = Math.max(from, to);
  }
  return sum;
}

/** Bytes after a number of months of growth by a monthly share. */
export function grown(bytes: number, monthlyShare: number, months: number): number {
  return bytes * (1 + monthlyShare) ** months;
}
