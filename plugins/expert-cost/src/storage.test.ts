import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prices, type RegionPrices, regionPrices, type StorageClass, storageClass } from "./prices.ts";
import { DAYS_PER_MONTH, grown, stepped, storageCost, type Usage } from "./storage.ts";
import { rankedClasses } from "./tiers.ts";

const GIB = 2 ** 30;

function region(name: string): RegionPrices {
  const found = regionPrices(name);
  if (!found) throw new Error(`no prices for ${name}`);
  return found;
}

function classOf(name: string, id: string): StorageClass {
  const found = storageClass(region(name), id);
  if (!found) throw new Error(`no class ${id}`);
  return found;
}

const usage = (change: Partial<Usage>): Usage => ({
  bytes: 1000 * GIB,
  objects: 1000,
  copies: 1,
  readsPerMonth: 0,
  rewritesPerMonth: 0,
  ...change,
});

describe("storageCost", () => {
  // Computed by hand from the price table: us-east-1, 1,000 GiB in 1,000 objects unless said.
  test.each<[string, string, Partial<Usage>, number]>([
    ["Standard", "standard", {}, 23],
    ["two copies", "standard", { copies: 2 }, 46],
    ["second step: 51,200 × 0.023 + 8,800 × 0.022", "standard", { bytes: 60_000 * GIB }, 1371.2],
    ["Standard-IA", "standard_ia", {}, 12.5],
    ["Standard-IA, 2 reads: 12.5 + 20 retrieval + 0.002 gets", "standard_ia", { readsPerMonth: 2 }, 32.502],
    [
      "objects of 1 KiB billed as 128 KiB: 131,072,000 × 0.0125 / 2^30",
      "standard_ia",
      { bytes: 1000 * 1024 },
      0.001_525_878_906_25,
    ],
    ["Deep Archive: 1,000.03052 × 0.00099 + 0.00763 × 0.023", "deep_archive", {}, 0.990_205_692_291_259_7],
    [
      "daily rewrite in Standard: 23 + 30,416.67 puts × 0.005 / 1,000",
      "standard",
      { rewritesPerMonth: DAYS_PER_MONTH },
      23.152_083_333,
    ],
    [
      "daily rewrite in Standard-IA: 12.5 × 30 days + puts × 0.01 / 1,000",
      "standard_ia",
      { rewritesPerMonth: DAYS_PER_MONTH },
      375.304_166_667,
    ],
  ])("%s", (_, id, change, expected) => {
    const kind = classOf("us-east-1", id);
    expect(storageCost(kind, usage(change), classOf("us-east-1", "standard")).total).toBeCloseTo(expected, 8);
  });

  test("nothing costs nothing", () => {
    for (const kind of region("eu-central-1").storage) {
      expect(storageCost(kind, usage({ bytes: 0, objects: 0 }), kind).total).toBe(0);
    }
  });

  test("steps join without a jump", () => {
    const steps = classOf("us-east-1", "standard").usdPerGibMonth;
    expect(stepped(steps, 51_200)).toBeCloseTo(51_200 * 0.023, 9);
    expect(stepped(steps, 51_201) - stepped(steps, 51_200)).toBeCloseTo(0.022, 6);
  });

  test("growth compounds", () => {
    expect(grown(100, 0.05, 12)).toBeCloseTo(179.5856326, 6);
  });
});

/** A month played through object by object and day by day: slow, and written without the formulas above. */
function played(
  kind: StorageClass,
  standard: StorageClass,
  use: { sizes: number[]; reads: number; rewrites: number },
): number {
  let [own, other, fees] = [0, 0, 0];
  const lives = Math.max(1, use.rewrites);
  for (const bytes of use.sizes) {
    for (let life = 0; life < lives; life += 1) {
      const days = use.rewrites > 0 ? Math.max(DAYS_PER_MONTH / use.rewrites, kind.minimumDays) : DAYS_PER_MONTH;
      own += ((Math.max(bytes, kind.minimumObjectBytes) + kind.overheadBytes.own) / GIB) * (days / DAYS_PER_MONTH);
      other += (kind.overheadBytes.standard / GIB) * (days / DAYS_PER_MONTH);
      if (use.rewrites > 0) fees += kind.putUsdPer1000 / 1000;
    }
    for (let read = 0; read < use.reads; read += 1)
      fees += kind.getUsdPer1000 / 1000 + (bytes / GIB) * kind.retrievalUsdPerGib;
  }
  const [rate, otherRate] = [kind.usdPerGibMonth[0]?.usd ?? 0, standard.usdPerGibMonth[0]?.usd ?? 0];
  return own * rate + other * otherRate + fees;
}

describe("rankedClasses", () => {
  test("puts the class first that a month played through day by day shows to be cheapest", () => {
    const use = fc.record({
      region: fc.constantFrom(...prices.regions),
      size: fc.integer({ min: 1, max: 3 * GIB }),
      count: fc.integer({ min: 1, max: 20 }),
      reads: fc.integer({ min: 0, max: 6 }),
      rewrites: fc.integer({ min: 0, max: 40 }),
      mayWait: fc.boolean(),
      oneZoneIsEnough: fc.boolean(),
    });
    fc.assert(
      fc.property(use, ({ region: at, size, count, reads, rewrites, ...demands }) => {
        const ranked = rankedClasses(
          at,
          usage({ bytes: size * count, objects: count, readsPerMonth: reads, rewritesPerMonth: rewrites }),
          demands,
        );
        const standard = at.storage[0] as StorageClass;
        const sizes = Array.from({ length: count }, () => size);
        const costs = at.storage
          .filter((kind) => (demands.mayWait || kind.instant) && (demands.oneZoneIsEnough || kind.zones === "several"))
          .map((kind) => played(kind, standard, { sizes, reads, rewrites }));
        expect(ranked).toHaveLength(costs.length);
        expect(ranked[0]?.cost.total).toBeCloseTo(Math.min(...costs), 9);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test.each<[string, Partial<Usage>, boolean, string]>([
    ["never read, may not wait", {}, false, "glacier_ir"],
    ["never read, may wait for hours", {}, true, "deep_archive"],
    ["read once a month", { readsPerMonth: 1 }, false, "standard_ia"],
    ["read daily", { readsPerMonth: 30 }, false, "standard"],
    ["written anew daily", { rewritesPerMonth: DAYS_PER_MONTH }, true, "standard"],
    ["many small objects", { bytes: 1000 * 2048 }, true, "standard"],
  ])("%s", (_, change, mayWait, expected) => {
    const [best] = rankedClasses(region("us-east-1"), usage(change), { mayWait, oneZoneIsEnough: false });
    expect(best?.kind.id).toBe(expected);
  });
});

describe("the price table", () => {
  test("is dated, has each region once, and begins each region with its standard class", () => {
    expect(prices.asOf).toMatch(/^\d{4}-\d\d-\d\d$/);
    const names = prices.regions.map(({ vendor, region: name }) => `${vendor} ${name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const one of prices.regions) {
      expect(one.storage[0]?.id).toBe("standard");
      expect(one.storage.every(({ usdPerGibMonth }) => usdPerGibMonth.at(-1)?.upToGib === null)).toBe(true);
    }
  });

  test("finds a class by id or name however it is spelt, and knows when it has none", () => {
    expect(storageClass(region("eu-central-1"), "S3 Standard IA")?.id).toBe("standard_ia");
    expect(storageClass(region("eu-central-1"), "glacier-ir")?.id).toBe("glacier_ir");
    expect(storageClass(region("eu-central-1"), "premium")).toBeUndefined();
    expect(regionPrices("us-east-1", "gcp")).toBeUndefined();
  });
});
