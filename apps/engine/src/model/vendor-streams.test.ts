/** What vendors send and the simulator does not, as their references describe it. */
import { describe, expect, it } from "vitest";
import { type ModelPart, resultOf } from "./model.ts";
import type { Vendor } from "./model-config.ts";
import { errorOf, QUESTION, simulated } from "./testing/call.ts";

const never = new AbortController().signal;

/** A model to which the vendor sends these events, whatever it is asked. */
function hearing(vendor: Vendor, events: readonly object[]) {
  const body = events.map(
    (event) => `${"type" in event ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`,
  );
  const send: typeof fetch = async () =>
    new Response(body.join(""), { headers: { "content-type": "text/event-stream" } });
  return simulated({ vendor, url: "http://192.0.2.1", fetch: send }).generate(QUESTION, never);
}

async function partsOf(parts: AsyncIterable<ModelPart>): Promise<ModelPart[]> {
  const all: ModelPart[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

const spoken = (parts: readonly ModelPart[]) => parts.flatMap((part) => (part.type === "text" ? [part.text] : []));

describe("OpenAI's stream", () => {
  const usage = {
    input_tokens: 30,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 5 },
  };

  it("that fails in its middle keeps what was used", async () => {
    const error = { code: "rate_limit_exceeded", message: "slow down" };
    const response = { model: "gpt-5.2", error, usage };
    expect(await errorOf(resultOf(hearing("openai", [{ type: "response.failed", response }])))).toMatchObject({
      kind: "rate_limited",
      usage: { input: 30, output: 5, reasoning: 5 },
    });
  });

  it("that its filter ends is a refusal", async () => {
    const response = { model: "gpt-5.2", incomplete_details: { reason: "content_filter" }, usage };
    expect(await resultOf(hearing("openai", [{ type: "response.incomplete", response }]))).toMatchObject({
      stopReason: "refusal",
      refusal: "declined",
    });
  });
});

describe("Anthropic's stream", () => {
  const start = {
    type: "message_start",
    message: {
      model: "claude-opus-4-6",
      usage: { input_tokens: 10, cache_read_input_tokens: 2000, cache_creation_input_tokens: 300, output_tokens: 1 },
    },
  };
  const delta = (part: object) => ({ type: "content_block_delta", index: 0, delta: part });

  it("thinks without a word, and counts what the second event leaves out", async () => {
    const parts = await partsOf(
      hearing("anthropic", [
        start,
        delta({ type: "thinking_delta", thinking: "hm" }),
        delta({ type: "signature_delta", signature: "x" }),
        delta({ type: "text_delta", text: "Yes." }),
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { output_tokens: 40, output_tokens_details: { thinking_tokens: 30 } },
        },
        { type: "message_stop" },
      ]),
    );
    expect(spoken(parts)).toEqual(["Yes."]);
    expect(parts.at(-1)).toMatchObject({
      result: { usage: { input: 2310, cachedInput: 2000, cacheWriteInput: 300, output: 40, reasoning: 30 } },
    });
  });

  it("that is cut keeps what was counted until then", async () => {
    const error = await errorOf(resultOf(hearing("anthropic", [start, delta({ type: "text_delta", text: "Y" })])));
    expect(error).toMatchObject({ kind: "cut", usage: { input: 2310, output: 1 } });
  });

  it("that fills the context has its greatest length", async () => {
    const end = {
      type: "message_delta",
      delta: { stop_reason: "model_context_window_exceeded" },
      usage: { output_tokens: 4 },
    };
    expect(await resultOf(hearing("anthropic", [start, end]))).toMatchObject({ stopReason: "length" });
  });
});

describe("Google's stream", () => {
  it("without an answer to a blocked prompt is a refusal", async () => {
    const chunk = { promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata: { promptTokenCount: 8 } };
    expect(await resultOf(hearing("google", [chunk]))).toMatchObject({
      stopReason: "refusal",
      refusal: "PROHIBITED_CONTENT",
      usage: { input: 8, output: 0 },
    });
  });

  it("thinks without a word, and counts thinking as output", async () => {
    const thought = { candidates: [{ content: { parts: [{ text: "hm", thought: true }] } }] };
    const counts = { promptTokenCount: 8, candidatesTokenCount: 2, thoughtsTokenCount: 30 };
    const end = {
      candidates: [{ content: { parts: [{ text: "Yes." }] }, finishReason: "STOP" }],
      usageMetadata: counts,
    };
    const parts = await partsOf(hearing("google", [thought, end]));
    expect(spoken(parts)).toEqual(["Yes."]);
    expect(parts.at(-1)).toMatchObject({ result: { usage: { output: 32, reasoning: 30 } } });
  });
});

describe("the stream of a compatible server", () => {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    model: "qwen3:8b",
    choices: [{ index: 0, delta, finish_reason }],
  });

  it("thinks without a word, and where it does not count nothing is made up", async () => {
    const parts = await partsOf(
      hearing("compatible", [chunk({ reasoning_content: "hm" }), chunk({ content: "Yes." }), chunk({}, "stop")]),
    );
    expect(spoken(parts)).toEqual(["Yes."]);
    expect(parts.at(-1)).toMatchObject({ result: { model: "qwen3:8b", usage: undefined } });
  });

  it("that a filter ends is a refusal", async () => {
    expect(await resultOf(hearing("compatible", [chunk({}, "content_filter")]))).toMatchObject({
      stopReason: "refusal",
    });
  });
});
