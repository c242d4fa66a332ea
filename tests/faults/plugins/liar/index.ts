import { defineExpert } from "@odg/expert-plugin-api";
import { work } from "../work.ts";

export default defineExpert({ name: "LiarExpert", version: "9.9.9", actions: { work } });
