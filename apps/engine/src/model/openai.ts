/** OpenAI by its Responses API. */
import type {
  Response,
  ResponseCreateParamsStreaming,
  ResponseInputItem,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import type { BackendCall, Piece } from "./backend.ts";
import type { Exchange } from "./exchange.ts";
import type { ModelMessage, StopReason, Thinking, Usage } from "./model.ts";
import { openAIClient } from "./openai-client.ts";
import { isStrict } from "./strict-schema.ts";

/** `none` is what the vendor calls instant. */
const EFFORT = { off: "none", low: "low", medium: "medium", high: "high" } as const satisfies Record<Thinking, string>;

export async function* openAIBackend(call: BackendCall): AsyncGenerator<Piece, void> {
  const { exchange } = call;
  const stream = await openAIClient(call).responses.create(parametersOf(call), { signal: exchange.signal });
  for await (const event of stream) yield* piecesOf(event, exchange);
}

function parametersOf({ spec, request }: BackendCall): ResponseCreateParamsStreaming {
  const { system, messages, schema, maxOutputTokens, thinking, cacheKey } = request;
  return {
    model: spec.id,
    instructions: system,
    input: messages.map(inputOf),
    max_output_tokens: maxOutputTokens,
    reasoning: { effort: EFFORT[thinking ?? spec.thinking] },
    text: schema && {
      format: { type: "json_schema", name: "answer", schema: { ...schema }, strict: isStrict(schema) },
    },
    prompt_cache_key: cacheKey,
    // Nothing of a call is kept at the vendor.
    store: false,
    stream: true,
  };
}

function inputOf({ role, content }: ModelMessage): ResponseInputItem {
  return { role, content: content.map(({ text }) => text).join("") };
}

function* piecesOf(event: ResponseStreamEvent, exchange: Exchange): Generator<Piece, void> {
  switch (event.type) {
    case "response.output_text.delta":
      yield { type: "text", text: event.delta };
      return;
    case "response.refusal.delta":
      yield { type: "refusal", text: event.delta };
      return;
    case "response.created":
      yield { type: "model", id: event.response.model };
      return;
    case "response.completed":
    case "response.incomplete":
      yield* endOf(event.response);
      return;
    case "response.failed":
      if (event.response.usage) yield { type: "usage", usage: usageOf(event.response.usage) };
      throw exchange.faultOf({ error: event.response.error });
    case "error":
      throw exchange.faultOf({ error: event });
    default:
      yield { type: "alive" };
  }
}

function* endOf({ model, usage, incomplete_details }: Response): Generator<Piece, void> {
  yield { type: "model", id: model };
  if (usage) yield { type: "usage", usage: usageOf(usage) };
  yield { type: "stop", reason: stopReasonOf(incomplete_details?.reason) };
}

function usageOf(usage: NonNullable<Response["usage"]>): Usage {
  return {
    input: usage.input_tokens,
    cachedInput: usage.input_tokens_details?.cached_tokens ?? 0,
    cacheWriteInput: 0,
    output: usage.output_tokens,
    reasoning: usage.output_tokens_details?.reasoning_tokens ?? 0,
  };
}

function stopReasonOf(incomplete: string | undefined): StopReason {
  if (incomplete === undefined) return "complete";
  return incomplete === "content_filter" ? "refusal" : "length";
}
