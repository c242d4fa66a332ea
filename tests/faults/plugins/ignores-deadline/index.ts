import { action, defineExpert } from "@odg/expert-plugin-api";
import { nothing, work } from "../work.ts";

export default defineExpert({
  name: "DeafExpert",
  version: "1.0.0",
  maxConcurrentTasks: 1,
  actions: {
    work,
    sit: action({ capability: "sitting", ...nothing, execute: () => new Promise<never>(() => undefined) }),
  },
});
