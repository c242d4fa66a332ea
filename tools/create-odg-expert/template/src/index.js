import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";

const WORKER = new URL("./worker.js", import.meta.url);

export default defineExpert({
  name: "__Name__Expert",
  version: "1.0.0",
  description: "Says which columns have missing values.",
  actions: {
    count_missing: action({
      capability: "quality_validation",
      description: "Counts the missing values of every column.",
      input: z.object({ dataset: z.string().min(1) }),
      output: z.object({ rows: z.number().int(), missing: z.record(z.string(), z.number().int()) }),
      async execute({ dataset }, ctx) {
        const { info } = await ctx.datasets.open(dataset);
        ctx.progress(0.1, "reading");
        /** @type {{ rows: number, missing: [string, number][] }} */
        const { rows, missing } = await ctx.offload(WORKER, { dataset });
        for (const [column, count] of missing) {
          ctx.finding({
            rule: "__rule__.missing",
            severity: count > 0 ? "warning" : "ok",
            subject: { kind: "column", name: `${info.name}.${column || "(no name)"}` },
            reason: count > 0 ? "Values are missing." : "Every row has a value.",
            evidence: [{ label: "missing", text: `${count} of ${rows} rows`, value: count, unit: "rows" }],
          });
        }
        const total = missing.reduce((sum, [, count]) => sum + count, 0);
        ctx.summary(`${total} values missing in ${rows} rows`);
        return { rows, missing: Object.fromEntries(missing) };
      },
    }),
  },
});
