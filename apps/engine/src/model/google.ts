/** Google by generateContent of the Gemini API. */
import {
  type Content,
  FinishReason,
  type GenerateContentParameters,
  type GenerateContentResponse,
  type GenerateContentResponseUsageMetadata,
  GoogleGenAI,
  ThinkingLevel,
} from "@google/genai";
import type { BackendCall, Piece } from "./backend.ts";
import type { ModelMessage, StopReason, Thinking, Usage } from "./model.ts";

/** Gemini 3 Pro cannot be kept from thinking; low is the least. */
const LEVEL: Record<Thinking, ThinkingLevel> = {
  off: ThinkingLevel.LOW,
  low: ThinkingLevel.LOW,
  medium: ThinkingLevel.MEDIUM,
  high: ThinkingLevel.HIGH,
};

export async function* googleBackend(call: BackendCall): AsyncGenerator<Piece, void> {
  const stream = await clientOf(call).models.generateContentStream(parametersOf(call));
  for await (const chunk of stream) yield* piecesOf(chunk);
}

/** Without `retryOptions` the SDK does not retry, without `timeout` it does not time out. */
function clientOf({ baseUrl, key, exchange }: BackendCall): GoogleGenAI {
  return new GoogleGenAI({
    apiKey: key?.reveal() ?? "",
    vertexai: false,
    apiVersion: "v1beta",
    httpOptions: { baseUrl, fetch: exchange.fetch },
  });
}

function parametersOf({ spec, request, exchange }: BackendCall): GenerateContentParameters {
  const { system, messages, schema, maxOutputTokens, thinking } = request;
  return {
    model: spec.id,
    contents: messages.map(contentOf),
    config: {
      systemInstruction: system,
      maxOutputTokens,
      thinkingConfig: { thinkingLevel: LEVEL[thinking ?? spec.thinking] },
      // What the prompts of a model have in common is cached by the vendor itself; there is no key for it.
      ...(schema && { responseMimeType: "application/json", responseJsonSchema: schema }),
      abortSignal: exchange.signal,
    },
  };
}

function contentOf({ role, content }: ModelMessage): Content {
  return { role: role === "user" ? "user" : "model", parts: content.map(({ text }) => ({ text })) };
}

function* piecesOf(chunk: GenerateContentResponse): Generator<Piece, void> {
  if (chunk.modelVersion) yield { type: "model", id: chunk.modelVersion };
  if (chunk.usageMetadata) yield { type: "usage", usage: usageOf(chunk.usageMetadata) };
  const blocked = chunk.promptFeedback?.blockReason;
  if (blocked) yield* refusal(blocked);
  const candidate = chunk.candidates?.[0];
  for (const { text, thought } of candidate?.content?.parts ?? []) {
    if (text) yield thought ? { type: "alive" } : { type: "text", text };
  }
  if (candidate?.finishReason) yield* endOf(candidate.finishReason);
}

function* endOf(finish: FinishReason): Generator<Piece, void> {
  const reason = stopReasonOf(finish);
  if (reason === "refusal") yield* refusal(finish);
  else yield { type: "stop", reason };
}

function* refusal(category: string): Generator<Piece, void> {
  yield { type: "refusal", text: category };
  yield { type: "stop", reason: "refusal" };
}

function stopReasonOf(finish: FinishReason): StopReason {
  if (finish === FinishReason.STOP) return "complete";
  return finish === FinishReason.MAX_TOKENS ? "length" : "refusal";
}

/** The vendor counts thinking beside the answer. */
function usageOf(counts: GenerateContentResponseUsageMetadata): Usage {
  const reasoning = counts.thoughtsTokenCount ?? 0;
  return {
    input: counts.promptTokenCount ?? 0,
    cachedInput: counts.cachedContentTokenCount ?? 0,
    cacheWriteInput: 0,
    output: (counts.candidatesTokenCount ?? 0) + reasoning,
    reasoning,
  };
}
