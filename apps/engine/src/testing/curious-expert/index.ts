import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type ActionContext, action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")));
const WORKER = new URL("./worker.ts", import.meta.url);

/** What it can ask for; each answers how much it got. */
const QUESTIONS: Record<string, (dataset: string, ctx: ActionContext) => Promise<number>> = {
  open: async (dataset, ctx) => Number((await ctx.datasets.open(dataset)).info.sizeBytes),
  documents: async (dataset, ctx) => (await (await ctx.datasets.open(dataset)).documents()).length,
  siblings: async (dataset, ctx) => (await (await ctx.datasets.open(dataset)).siblings()).length,
  profile: async (dataset, ctx) => Number((await (await ctx.datasets.open(dataset)).profile()).rowCount),
  async read(dataset, ctx) {
    let rows = 0;
    for await (const batch of (await ctx.datasets.open(dataset)).read()) rows += batch.rowCount;
    return rows;
  },
  offload: (dataset, ctx) => ctx.offload<number>(WORKER, { dataset, what: "nothing" }),
  offloadRead: (dataset, ctx) => ctx.offload<number>(WORKER, { dataset, what: "read" }),
  offloadDistinct: (dataset, ctx) => ctx.offload<number>(WORKER, { dataset, what: "distinct" }),
  generate: async (_, ctx) => ((await ctx.model.generate("why?")).model === "" ? 0 : 1),
  nap: async (_, ctx) => {
    await sleep(10_000, undefined, { signal: ctx.signal });
    return 0;
  },
};

export default defineExpert({
  name: "CuriousExpert",
  version,
  actions: {
    ask: action({
      capability: "asking",
      input: z.object({ dataset: z.string(), what: z.string() }),
      output: z.object({ got: z.number() }),
      async execute({ dataset, what }, ctx) {
        const question = QUESTIONS[what];
        if (!question) throw new Error(`no question ${what}`);
        return { got: await question(dataset, ctx) };
      },
    }),
  },
});
