import { defineExpert } from "@odg/expert-plugin-api";
import { work } from "../work.ts";

export default defineExpert({ name: "CrashExpert", version: "1.0.0", actions: { work } });
