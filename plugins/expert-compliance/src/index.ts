import { action, defineExpert } from "@odg/expert-plugin-api";
import { ValidateGdprInput, ValidateGdprOutput } from "./output.ts";
import { validateGdpr } from "./validate-gdpr.ts";

export { ProcessingRecord, ValidateGdprOutput } from "./output.ts";

export default defineExpert({
  name: "ComplianceExpert",
  version: "0.1.0",
  description: "Checks metadata against the law by rules that are data. Never reads rows.",
  model: "claude-opus-4.6",
  actions: {
    validate_gdpr: action({
      capability: "compliance_checking",
      description:
        "Says for each GDPR article whether it is met, what is missing, and drafts the record of processing.",
      input: ValidateGdprInput,
      output: ValidateGdprOutput,
      execute: validateGdpr,
    }),
  },
});
