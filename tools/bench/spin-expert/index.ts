import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { spin } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);
const input = z.object({ ms: z.number() });
const output = z.object({});

/** An expert that computes for as long as it is told to: in its own event loop, or in a worker. */
export default defineExpert({
  name: "SpinExpert",
  version: "1.0.0",
  maxConcurrentTasks: 8,
  actions: {
    spin: action({
      capability: "spinning",
      input,
      output,
      execute: async ({ ms }) => {
        spin(ms);
        return {};
      },
    }),
    offload: action({
      capability: "spinning_elsewhere",
      input,
      output,
      execute: async ({ ms }, ctx) => ctx.offload(WORKER, { ms }),
    }),
  },
});
