import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { defineExpert } from "@odg/expert-plugin-api";
import { work } from "../work.ts";

for (let i = 0; i < 1_000; i++) {
  writeSync(1, "y".repeat(1_000));
  await setTimeout(1);
}

export default defineExpert({ name: "EndlessExpert", version: "1.0.0", actions: { work } });
