import * as z from "zod";
import { action, defineExpert } from "../index.ts";

/** A small real expert for the tests of this package. */
export const rowCounter = defineExpert({
  name: "RowCountExpert",
  version: "1.2.3",
  description: "Counts rows.",
  actions: {
    count_rows: action({
      capability: "schema_analysis",
      input: z.object({ dataset: z.string().min(1), share: z.boolean().default(false) }),
      output: z.object({ rows: z.number().int(), read: z.number().int(), offloaded: z.number().int() }),
      async execute({ dataset, share }, ctx) {
        const data = await ctx.datasets.open(dataset);
        const profile = await data.profile();
        let read = 0;
        for await (const batch of data.read()) read += batch.rowCount;
        const offloaded = await ctx.offload<number>(new URL("./example-worker.ts", import.meta.url), { dataset });
        ctx.progress(1, "counted");
        ctx.finding({
          rule: "rows.count",
          severity: read === 0 ? "warning" : "ok",
          subject: { kind: "dataset", name: data.info.name },
          reason: "The rows were counted.",
          evidence: [{ label: "rows", text: `${read} rows`, value: read, unit: "rows" }],
        });
        if (share) ctx.context.set("rows", read, { expectedVersion: 0 });
        ctx.summary(`${read} rows`);
        return { rows: Number(profile.rowCount), read, offloaded };
      },
    }),
  },
});
