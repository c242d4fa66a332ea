/** Anthropic by its Messages API. */
import Anthropic from "@anthropic-ai/sdk";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type {
  MessageCreateParamsStreaming,
  MessageParam,
  OutputConfig,
  RawMessageDeltaEvent,
  RawMessageStreamEvent,
  TextBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { BackendCall, Piece } from "./backend.ts";
import type { ModelMessage, ModelRequest, StopReason, Thinking, Usage } from "./model.ts";

/** The longest that a timer of Node can wait: about 24 days. The SDK has no way to say never. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

export async function* anthropicBackend(call: BackendCall): AsyncGenerator<Piece, void> {
  const stream = await clientOf(call).messages.create(parametersOf(call), { signal: call.exchange.signal });
  const counted = new Counted();
  for await (const event of stream) yield* piecesOf(event, counted);
}

function clientOf({ baseUrl, key, exchange }: BackendCall): Anthropic {
  return new Anthropic({
    apiKey: key?.reveal() ?? null,
    authToken: null,
    webhookKey: null,
    baseURL: baseUrl,
    fetch: exchange.fetch,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: "off",
  });
}

function parametersOf({ spec, request }: BackendCall): MessageCreateParamsStreaming {
  const thinking = request.thinking ?? spec.thinking;
  return {
    model: spec.id,
    system: systemOf(request),
    messages: request.messages.map(messageOf),
    max_tokens: request.maxOutputTokens,
    thinking: thinking === "off" ? { type: "disabled" } : { type: "adaptive" },
    output_config: outputOf(request, thinking),
    stream: true,
  };
}

/** What is to be kept ends at the marker; it begins with the first byte of the system text. */
function systemOf({ system, cacheKey }: ModelRequest): TextBlockParam[] | undefined {
  if (system === undefined) return undefined;
  const block: TextBlockParam = { type: "text", text: system };
  return [cacheKey === undefined ? block : { ...block, cache_control: { type: "ephemeral" } }];
}

function messageOf({ role, content }: ModelMessage): MessageParam {
  return { role, content: content.map(({ text }) => ({ type: "text" as const, text })) };
}

/** The vendor takes a subset of JSON Schema; its SDK moves what it does not take into descriptions. */
function outputOf({ schema }: ModelRequest, thinking: Thinking): OutputConfig | undefined {
  const effort = thinking === "off" ? undefined : thinking;
  if (schema === undefined) return effort && { effort };
  return { effort, format: { type: "json_schema", schema: transformJSONSchema(schema) } };
}

function* piecesOf(event: RawMessageStreamEvent, counted: Counted): Generator<Piece, void> {
  switch (event.type) {
    case "message_start":
      yield { type: "model", id: event.message.model };
      yield { type: "usage", usage: counted.take(event.message.usage) };
      return;
    case "content_block_delta":
      yield event.delta.type === "text_delta" ? { type: "text", text: event.delta.text } : { type: "alive" };
      return;
    case "message_delta":
      yield { type: "usage", usage: counted.take(event.usage) };
      yield* endOf(event.delta);
      return;
    default:
      yield { type: "alive" };
  }
}

function* endOf({ stop_reason, stop_details }: RawMessageDeltaEvent.Delta): Generator<Piece, void> {
  if (stop_reason === null) return;
  const reason = stopReasonOf(stop_reason);
  if (reason === "refusal") yield { type: "refusal", text: stop_details?.category ?? "declined" };
  yield { type: "stop", reason };
}

function stopReasonOf(reason: string): StopReason {
  if (reason === "refusal") return "refusal";
  return reason === "max_tokens" || reason === "model_context_window_exceeded" ? "length" : "complete";
}

/** The counts of both events: the second may leave out what the first told, and older servers leave out what is newer. */
interface PartialCounts {
  readonly input_tokens: number | null;
  readonly cache_read_input_tokens: number | null;
  readonly cache_creation_input_tokens: number | null;
  readonly output_tokens: number;
  readonly output_tokens_details?: { readonly thinking_tokens: number } | null;
}

class Counted {
  #fresh = 0;
  #read = 0;
  #written = 0;
  #reasoning = 0;

  /** `input_tokens` counts neither what was read from the cache nor what was written to it. */
  take(counts: PartialCounts): Usage {
    this.#fresh = counts.input_tokens ?? this.#fresh;
    this.#read = counts.cache_read_input_tokens ?? this.#read;
    this.#written = counts.cache_creation_input_tokens ?? this.#written;
    this.#reasoning = counts.output_tokens_details?.thinking_tokens ?? this.#reasoning;
    return {
      input: this.#fresh + this.#read + this.#written,
      cachedInput: this.#read,
      cacheWriteInput: this.#written,
      output: counts.output_tokens,
      reasoning: this.#reasoning,
    };
  }
}
