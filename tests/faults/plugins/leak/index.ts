import { setImmediate, setTimeout } from "node:timers/promises";
import { action, defineExpert } from "@odg/expert-plugin-api";
import { nothing, work } from "../work.ts";

const kept: unknown[] = [];

export default defineExpert({
  name: "LeakExpert",
  version: "1.0.0",
  actions: {
    work,
    /** On the heap, which V8 limits. */
    leak: action({
      capability: "leaking",
      ...nothing,
      async execute() {
        for (;;) {
          kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
          await setImmediate();
        }
      },
    }),
    /** Beside the heap, which only the engine's look at the process limits. */
    leak_buffers: action({
      capability: "leaking",
      ...nothing,
      async execute() {
        for (;;) {
          kept.push(Buffer.alloc(2 ** 20, 1));
          await setTimeout(2);
        }
      },
    }),
  },
});
