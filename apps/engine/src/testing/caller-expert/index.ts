import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { ask } from "./ask.ts";

const input = z.object({ port: z.number(), path: z.string() });
const output = z.object({ answer: z.string() });

/** Waits for a server's answer: itself, or in a worker that does not know of any cancellation. */
export default defineExpert({
  name: "CallerExpert",
  version: "1.0.0",
  actions: {
    call: action({
      capability: "calling",
      input,
      output,
      execute: async (request, { signal }) => ({ answer: await ask(request, signal) }),
    }),
    call_offloaded: action({
      capability: "calling_offloaded",
      input,
      output,
      execute: async (request, ctx) => ({
        answer: await ctx.offload<string>(new URL("./worker.ts", import.meta.url), request),
      }),
    }),
  },
});
