import { setTimeout as sleep } from "node:timers/promises";
import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";

/** An expert that takes exactly as long as it is told. */
export default defineExpert({
  name: "SleepExpert",
  version: "1.0.0",
  maxConcurrentTasks: 64,
  actions: {
    sleep: action({
      capability: "sleeping",
      input: z.object({ ms: z.number() }),
      output: z.object({}),
      async execute({ ms }, ctx) {
        await sleep(ms, undefined, { signal: ctx.signal });
        ctx.summary(`slept ${ms} ms`);
        return {};
      },
    }),
  },
});
