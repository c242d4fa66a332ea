/** Whatever speaks OpenAI's Chat Completions: vLLM, Ollama, gateways. */
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import type { CompletionUsage } from "openai/resources/completions";
import type { BackendCall, Piece } from "./backend.ts";
import type { ModelMessage, StopReason, Usage } from "./model.ts";
import { openAIClient } from "./openai-client.ts";
import { isStrict } from "./strict-schema.ts";

export async function* compatibleBackend(call: BackendCall): AsyncGenerator<Piece, void> {
  const { exchange } = call;
  const stream = await openAIClient(call).chat.completions.create(parametersOf(call), { signal: exchange.signal });
  for await (const chunk of stream) yield* piecesOf(chunk);
}

/** Only what all of these servers know: `max_tokens` rather than its successor, no effort, no cache key. */
function parametersOf({ spec, request }: BackendCall): ChatCompletionCreateParamsStreaming {
  const { system, messages, schema, maxOutputTokens } = request;
  return {
    model: spec.id,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
      ...messages.map(messageOf),
    ],
    max_tokens: maxOutputTokens,
    response_format: schema && {
      type: "json_schema",
      json_schema: { name: "answer", schema: { ...schema }, strict: isStrict(schema) },
    },
    stream: true,
    stream_options: { include_usage: true },
  };
}

function messageOf({ role, content }: ModelMessage): ChatCompletionMessageParam {
  return { role, content: content.map(({ text }) => text).join("") };
}

function* piecesOf({ model, usage, choices }: ChatCompletionChunk): Generator<Piece, void> {
  if (model) yield { type: "model", id: model };
  if (usage) yield { type: "usage", usage: usageOf(usage) };
  const choice = choices[0];
  if (choice?.delta.content) yield { type: "text", text: choice.delta.content };
  if (choice?.delta.refusal) yield { type: "refusal", text: choice.delta.refusal };
  if (choice?.finish_reason) yield { type: "stop", reason: stopReasonOf(choice.finish_reason) };
}

function usageOf({ prompt_tokens, completion_tokens, ...details }: CompletionUsage): Usage {
  return {
    input: prompt_tokens,
    cachedInput: details.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteInput: 0,
    output: completion_tokens,
    reasoning: details.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

function stopReasonOf(finish: string): StopReason {
  if (finish === "length") return "length";
  return finish === "content_filter" ? "refusal" : "complete";
}
