import * as z from "zod";
import table from "./prices.json" with { type: "json" };

const Steps = z
  .array(z.object({ upToGib: z.number().positive().nullable(), usd: z.number().positive() }))
  .min(1)
  .describe("Price per GiB by amount, cheapest step last; null: no end");

const StorageClass = z.object({
  id: z.string(),
  name: z.string(),
  usdPerGibMonth: Steps,
  putUsdPer1000: z.number().nonnegative(),
  getUsdPer1000: z.number().nonnegative(),
  retrievalUsdPerGib: z.number().nonnegative(),
  minimumDays: z.number().nonnegative().describe("An object deleted earlier is billed as if it had stayed so long"),
  minimumObjectBytes: z.number().nonnegative().describe("A smaller object is billed as if it were so large"),
  overheadBytes: z
    .object({ own: z.number(), standard: z.number() })
    .describe("Added to each object, by the class that bills it"),
  zones: z.enum(["one", "several"]),
  instant: z.boolean().describe("Whether a read answers at once, not after minutes or hours"),
});

const PriceTable = z.object({
  asOf: z.iso.date(),
  currency: z.literal("USD"),
  hoursPerMonth: z.literal(730),
  note: z.string(),
  regions: z.array(
    z.object({
      vendor: z.string(),
      region: z.string(),
      source: z.url(),
      storage: z.array(StorageClass).min(1),
      egressUsdPerGib: Steps,
      computeUsdPerHour: z.record(z.string(), z.number().positive()),
    }),
  ),
});

/** Prices by region; see the note in the file for what they leave out. */
export type PriceTable = z.infer<typeof PriceTable>;
/** Prices of one region of one vendor, in USD. */
export type RegionPrices = PriceTable["regions"][number];
/** Prices and conditions of a storage class. */
export type StorageClass = z.infer<typeof StorageClass>;

/** The price table of this package. */
export const prices: PriceTable = PriceTable.parse(table);

/** Prices of a region; `undefined` where the table has none. */
export function regionPrices(region: string, vendor?: string): RegionPrices | undefined {
  return prices.regions.find((one) => one.region === region && (vendor === undefined || one.vendor === vendor));
}

/** The storage class of a region by its id or name, whatever the case, spaces or hyphens. */
export function storageClass(region: RegionPrices, wanted: string): StorageClass | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[\s_-]/g, "");
  return region.storage.find(({ id, name }) => [plain(id), plain(name)].includes(plain(wanted)));
}
