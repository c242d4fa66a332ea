import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
import { work } from "../work.ts";

export default defineExpert({
  name: "CrashExpert",
  version: "1.0.0",
  actions: {
    work,
    crash: action({
      capability: "crashing",
      input: z.object({ attempts: z.number().default(1000) }),
      output: z.object({ attempt: z.number() }),
      execute: async ({ attempts }, { attempt }) => {
        if (attempt <= attempts) process.kill(process.pid, "SIGSEGV");
        return { attempt };
      },
    }),
  },
});
