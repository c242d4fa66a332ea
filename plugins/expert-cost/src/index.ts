import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { type Estimate, estimate } from "./estimate.ts";
import { findingsOf } from "./findings.ts";
import { usd } from "./money.ts";
import { prices } from "./prices.ts";
import { readTerms } from "./terms.ts";

const Usd = z.number().nonnegative().nullable().describe("USD a month; null: unknown");

const CostEstimate = z.object({
  dataset: z.string(),
  bytes: z.number().nonnegative(),
  prices_as_of: z.string(),
  region: z.string().nullable(),
  storage_class: z.string().nullable(),
  assumed: z.array(z.string()).describe("What the contract does not say and is assumed"),
  monthly_usd: z.object({ storage: Usd, compute: Usd, total: Usd, unknown: z.array(z.string()) }),
  storage_in_12_months_usd: Usd,
  classes: z
    .array(z.object({ id: z.string(), name: z.string(), usd: z.number() }))
    .nullable()
    .describe("Storage classes that would do, cheapest first; null: their use is unknown"),
});

/** Says what data cost, with the arithmetic. */
export default defineExpert({
  name: "CostExpert",
  version: "0.1.0",
  description: "Says what storing and making a dataset costs, with the arithmetic and the date of every price.",
  model: "gpt-5.2-instant",
  actions: {
    estimate_storage_cost: action({
      capability: "cost_optimization",
      description:
        "Monthly storage from the real bytes, compute from the contract's pipeline, and the cheapest storage class.",
      input: z.object({ dataset: z.string().min(1) }),
      output: CostEstimate,
      async execute({ dataset }, ctx) {
        const { info } = await ctx.datasets.open(dataset);
        ctx.progress(0.5, "pricing");
        const { terms, faults } = readTerms(info.contract);
        const bytes = Number(info.sizeBytes);
        const result = estimate({ uri: info.uri, bytes, files: Number(info.fileCount) }, terms);
        for (const finding of findingsOf(info.name, result, faults)) ctx.finding(finding);
        const monthly = monthlyUsd(result);
        ctx.context.set("cost.monthly_usd", monthly);
        ctx.summary(headline(monthly));
        return { dataset: info.name, bytes, prices_as_of: prices.asOf, ...details(result), monthly_usd: monthly };
      },
    }),
  },
});

type Monthly = z.infer<typeof CostEstimate>["monthly_usd"];

function monthlyUsd({ storage, compute }: Estimate): Monthly {
  const parts = { storage: storage.known ? storage.cost.total : null, compute: compute.known ? compute.usd : null };
  const known = Object.values(parts).filter((value) => value !== null);
  return {
    ...parts,
    // A sum with a part missing is no total.
    total: known.length === 2 ? known.reduce((sum, one) => sum + one, 0) : null,
    unknown: Object.entries(parts).flatMap(([name, value]) => (value === null ? [name] : [])),
  };
}

function headline({ storage, compute, total }: Monthly): string {
  const part = (name: string, value: number | null) =>
    value === null ? `${name} unknown` : `${name} ${usd(value)}/month`;
  const parts = `${part("Storage", storage)}, ${part("compute", compute)}`;
  return total === null ? parts : `${parts}: ${usd(total)}/month`;
}

function details({ storage, inOneYear, options }: Estimate) {
  return {
    region: storage.known ? storage.region.region : null,
    storage_class: storage.known ? storage.kind.id : null,
    assumed: storage.known ? storage.assumed : [],
    storage_in_12_months_usd: inOneYear?.usd ?? null,
    classes: options?.map(({ kind, cost }) => ({ id: kind.id, name: kind.name, usd: cost.total })) ?? null,
  };
}
