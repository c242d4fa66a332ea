import * as z from "zod";

const Positive = z.number().positive().finite();
const Share = z.number().gt(-1).max(10);

const FREQUENCIES = { hourly: 730, daily: 730 / 24, weekly: 730 / 168, monthly: 1 } as const;

/** The part of a contract that costs depend on. Fields that are missing are unknown, not zero. */
export interface Terms {
  vendor?: string;
  region?: string;
  storageClass?: string;
  /** Copies in all. */
  copies?: number;
  /** Growth a month as a share: 0.05 is 5 %. */
  growth?: number;
  fullReadsPerMonth?: number;
  mayWait?: boolean;
  oneZoneIsEnough?: boolean;
  refreshesPerMonth?: number;
  refreshMode?: "full" | "append";
  runsPerMonth?: number;
  hoursPerRun?: number;
  executors?: number;
  executorPricePerHour?: number;
  executorType?: string;
}

/** A field of the contract that holds something else than it should. */
export interface TermFault {
  /** Path in the contract: `pipeline.executors`. */
  field: string;
  message: string;
}

type Reader = { paths: string[]; schema: z.ZodType };

/** Where each term stands in a contract; the first path that is there counts. */
const FIELDS: Record<keyof Terms, Reader> = {
  vendor: { paths: ["storage.vendor"], schema: z.string() },
  region: { paths: ["storage.region"], schema: z.string() },
  storageClass: { paths: ["storage.class"], schema: z.string() },
  copies: { paths: ["storage.copies"], schema: z.number().int().positive() },
  growth: { paths: ["growth_rate_monthly", "growth", "storage.growth_rate_monthly"], schema: Share },
  fullReadsPerMonth: { paths: ["access.full_reads_per_month"], schema: z.number().nonnegative().finite() },
  mayWait: { paths: ["access.may_wait_hours"], schema: z.boolean() },
  oneZoneIsEnough: { paths: ["storage.one_zone_is_enough"], schema: z.boolean() },
  refreshesPerMonth: {
    paths: ["refresh.frequency"],
    schema: z.enum(["hourly", "daily", "weekly", "monthly"]).transform((word) => FREQUENCIES[word]),
  },
  refreshMode: { paths: ["refresh.mode"], schema: z.enum(["full", "append"]) },
  runsPerMonth: { paths: ["pipeline.runs_per_month"], schema: Positive },
  hoursPerRun: { paths: ["pipeline.hours_per_run"], schema: Positive },
  executors: { paths: ["pipeline.executors"], schema: Positive },
  executorPricePerHour: { paths: ["pipeline.executor_price_per_hour"], schema: Positive },
  executorType: { paths: ["pipeline.executor_type"], schema: z.string() },
};

/** Reads what a contract says about cost, and what of it cannot be used. */
export function readTerms(contract: unknown): { terms: Terms; faults: TermFault[] } {
  const terms: Record<string, unknown> = {};
  const faults: TermFault[] = [];
  for (const [term, { paths, schema }] of Object.entries(FIELDS)) {
    for (const field of paths) {
      const value = at(contract, field);
      if (value === undefined || value === null) continue;
      const parsed = schema.safeParse(value);
      if (parsed.success) terms[term] = parsed.data;
      else faults.push({ field, message: parsed.error.issues[0]?.message ?? "is not valid" });
      break;
    }
  }
  return { terms: terms as Terms, faults };
}

function at(contract: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => {
    const isObject = typeof node === "object" && node !== null && Object.hasOwn(node, key);
    return isObject ? (node as Record<string, unknown>)[key] : undefined;
  }, contract);
}
