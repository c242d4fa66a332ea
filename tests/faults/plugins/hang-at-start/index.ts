import { defineExpert } from "@odg/expert-plugin-api";
import { work } from "../work.ts";

setInterval(() => undefined, 1_000);
await new Promise(() => undefined);

export default defineExpert({ name: "HangExpert", version: "1.0.0", actions: { work } });
