import { describe, expect, it } from "vitest";
import { answerOf } from "./answer.ts";
import type { Ending } from "./backend.ts";
import type { ModelError } from "./model-error.ts";
import { FINDINGS, QUESTION } from "./testing/call.ts";

const USAGE = { input: 9, cachedInput: 0, cacheWriteInput: 0, output: 4, reasoning: 0 };
const ending = (more: Partial<Ending>): Ending => ({
  alias: "m",
  text: "",
  refusal: "",
  usage: USAGE,
  stopReason: "complete",
  model: "m-1",
  ...more,
});
const structured = { ...QUESTION, schema: FINDINGS };
const failing = (more: Partial<Ending>, request = structured): ModelError => {
  try {
    answerOf(request, ending(more));
  } catch (error) {
    return error as ModelError;
  }
  throw new Error("it did not fail");
};

describe("the answer of a model", () => {
  it("is text where no schema is asked for, even if it looks like JSON", () => {
    expect(answerOf(QUESTION, ending({ text: "{}" }))).toEqual({
      text: "{}",
      usage: USAGE,
      stopReason: "complete",
      model: "m-1",
    });
  });

  it("is the parsed value where it fits the schema", () => {
    const text = '{"findings": [{"title": "t", "evidence": [], "severity": "info"}]}';
    expect(answerOf(structured, ending({ text })).json).toEqual(JSON.parse(text));
  });

  it.each([
    ['{"findings": [{"title": 5, "evidence": [], "severity": "info"}]}', "$.findings.0.title"],
    ['{"findings": [{"title": "t", "evidence": [], "severity": "canary"}]}', "$.findings.0.severity"],
    ['{"findings": [], "canary": 1}', "$"],
    ["[]", "$"],
    ["null", "$"],
  ])("is malformed where it does not fit, by its path and not by its words: %s", (text, field) => {
    const error = failing({ text });
    expect(error).toMatchObject({ kind: "malformed", code: "answer_breaks_schema", field, usage: USAGE });
    expect(error.message).not.toContain("canary");
  });

  it.each(["", "canary {", "```json\n{}\n```", '{"findings": []} and more'])(
    "is malformed where it is no JSON: %j",
    (text) => {
      const error = failing({ text });
      expect(error).toMatchObject({ kind: "malformed", code: "answer_is_no_json", usage: USAGE });
      expect(error.message).not.toContain("canary");
    },
  );

  it("keeps what was counted when it was cut off", () => {
    const error = failing({ text: '{"findings": [', stopReason: "length" });
    expect(error).toMatchObject({ code: "answer_cut_at_max_output_tokens", usage: USAGE, retryable: false });
  });

  it("is no value where the model declined", () => {
    const result = answerOf(structured, ending({ stopReason: "refusal", refusal: "no", text: "{" }));
    expect(result).toMatchObject({ stopReason: "refusal", refusal: "no" });
    expect(result).not.toHaveProperty("json");
  });

  it("takes no schema that cannot be read", () => {
    const request = { ...QUESTION, schema: { type: "never heard of" } } as unknown as typeof structured;
    expect(failing({ text: "{}" }, request)).toMatchObject({ kind: "invalid_request", field: "schema" });
  });
});
