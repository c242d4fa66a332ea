import { action } from "@odg/expert-plugin-api";
import * as z from "zod";

/** What a sound expert does: every faulty one can do it, too. */
export const work = action({
  capability: "working",
  input: z.object({}),
  output: z.object({ pid: z.number() }),
  execute: async (_, ctx) => {
    ctx.summary("worked");
    return { pid: process.pid };
  },
});

/** Input and output of the actions that never come to their end. */
export const nothing = { input: z.object({}), output: z.object({}) };
