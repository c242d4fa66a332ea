import { writeSync } from "node:fs";
import { action, defineExpert } from "@odg/expert-plugin-api";
import { nothing, work } from "../work.ts";

// Past every redirection, as native code would.
writeSync(1, "loading | 1 of 3\n1|garbage\n\n");
process.stdout.write("2|7|tcp|127.0.0.1:1|netrpc\n");
writeSync(1, `${"=".repeat(10_000)}\n`);

export default defineExpert({
  name: "NoisyExpert",
  version: "1.0.0",
  actions: {
    work,
    shout: action({
      capability: "shouting",
      ...nothing,
      async execute() {
        for (let line = 0; line < 20_000; line++) process.stdout.write(`line ${line} ${"x".repeat(100)}\n`);
        writeSync(1, "1|1|unix|/elsewhere|grpc\n");
        return {};
      },
    }),
  },
});
