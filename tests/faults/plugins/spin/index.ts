import { action, defineExpert } from "@odg/expert-plugin-api";
import { nothing, work } from "../work.ts";

export default defineExpert({
  name: "SpinExpert",
  version: "1.0.0",
  actions: {
    work,
    spin: action({
      capability: "spinning",
      ...nothing,
      execute: async () => {
        for (;;);
      },
    }),
  },
});
