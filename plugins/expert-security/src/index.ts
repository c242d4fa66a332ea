import { action, defineExpert } from "@odg/expert-plugin-api";
import { detectPii } from "./detect-pii.ts";
import { DetectPiiInput, DetectPiiOutput } from "./output.ts";

export { DetectPiiOutput, PiiColumn } from "./output.ts";

export default defineExpert({
  name: "SecurityExpert",
  version: "0.1.0",
  description: "Finds personal data and secrets, proposes masking. Reads, never writes.",
  model: "claude-opus-4.6",
  actions: {
    detect_pii: action({
      capability: "security_scanning",
      description: "Says which columns hold personal data, of which kind, by which evidence, and how to mask them.",
      input: DetectPiiInput,
      output: DetectPiiOutput,
      execute: detectPii,
    }),
  },
});
