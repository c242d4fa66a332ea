import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";

const shape = z.object({ text: z.string(), numbers: z.array(z.number()) });

/** An expert that answers what it is asked: what a call costs beside it is the way there and back. */
export default defineExpert({
  name: "EchoExpert",
  version: "1.0.0",
  maxConcurrentTasks: 64,
  actions: {
    echo: action({ capability: "echoing", input: shape, output: shape, execute: async (input) => input }),
  },
});
