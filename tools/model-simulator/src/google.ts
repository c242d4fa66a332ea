/** Gemini's generateContent. Its published shape is the types of its SDK (`GenerateContentConfig` of @google/genai 3.1, as it sends them). */
import * as z from "zod";
import {
  type Ask,
  type Failure,
  type FailureKind,
  json,
  type Misshapen,
  type Protocol,
  type Reply,
  textOf,
} from "./protocol.ts";

const part = z.strictObject({ text: z.string(), thought: z.boolean().optional() });
const content = z.strictObject({ role: z.enum(["user", "model"]).optional(), parts: z.array(part).min(1) });
const requestSchema = z.strictObject({
  contents: z.array(content).min(1),
  systemInstruction: content.optional(),
  safetySettings: z.array(z.strictObject({ category: z.string(), threshold: z.string() })).optional(),
  cachedContent: z.string().optional(),
  generationConfig: z
    .strictObject({
      maxOutputTokens: z.int().positive().optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      topK: z.number().positive().optional(),
      candidateCount: z.int().positive().optional(),
      stopSequences: z.array(z.string()).max(5).optional(),
      seed: z.int().optional(),
      responseMimeType: z.enum(["text/plain", "application/json"]).optional(),
      responseJsonSchema: z.record(z.string(), z.unknown()).optional(),
      thinkingConfig: z
        .strictObject({
          thinkingLevel: z.enum(["MINIMAL", "LOW", "MEDIUM", "HIGH"]).optional(),
          thinkingBudget: z.int().optional(),
          includeThoughts: z.boolean().optional(),
        })
        .optional(),
    })
    .refine((config) => config.responseJsonSchema === undefined || config.responseMimeType === "application/json", {
      path: ["responseMimeType"],
      error: "responseJsonSchema needs application/json",
    })
    .optional(),
});

export const googleGenerate: Protocol = {
  name: "google",
  path: /^\/v1(?:beta)?\/models\/[\w.-]+:(?:stream)?[gG]enerateContent$/,
  read,
  whole: (reply) => chunk(reply, textOf(reply), true),
  frames: (reply) => [
    ...(reply.refusal === undefined ? reply.deltas.map((delta) => json(undefined, chunk(reply, delta, false))) : []),
    json(undefined, chunk(reply, "", true)),
  ],
  errorFrame: (failure) => json(undefined, googleFailure(failure).body),
  failure: googleFailure,
};

function read(url: URL, body: unknown): Ask | Misshapen {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success)
    return { faults: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) };
  if (url.searchParams.has("key")) return { faults: ["key: a key does not belong into an address"] };
  const { contents, systemInstruction, generationConfig } = parsed.data;
  const text = ({ parts }: z.infer<typeof content>) => parts.map((one) => one.text).join("");
  return {
    model: /models\/([\w.-]+):/.exec(url.pathname)?.[1] ?? "",
    stream: url.pathname.endsWith(":streamGenerateContent"),
    system: systemInstruction ? text(systemInstruction) : "",
    prompt: contents.map(text).join("\n"),
    schema: generationConfig?.responseJsonSchema,
    maxOutputTokens: generationConfig?.maxOutputTokens ?? 65_536,
    thinks: true,
    caches: true,
  };
}

function chunk(reply: Reply, text: string, last: boolean): Record<string, unknown> {
  const { counts, model, id } = reply;
  const finishReason = last ? { finishReason: finish(reply) } : {};
  const candidate = { content: { role: "model", parts: text === "" ? [] : [{ text }] }, index: 0, ...finishReason };
  return {
    candidates: [candidate],
    modelVersion: model,
    responseId: id,
    usageMetadata: {
      promptTokenCount: counts.input,
      cachedContentTokenCount: counts.cached,
      candidatesTokenCount: last ? counts.output - counts.reasoning : 0,
      thoughtsTokenCount: counts.reasoning,
      totalTokenCount: counts.input + (last ? counts.output : counts.reasoning),
    },
  };
}

function finish({ refusal, cutOff }: Reply): string {
  if (refusal !== undefined) return "PROHIBITED_CONTENT";
  return cutOff ? "MAX_TOKENS" : "STOP";
}

const SHAPES: Readonly<
  Record<FailureKind, { readonly code: number; readonly status: string; readonly reason?: string }>
> = {
  rate_limited: { code: 429, status: "RESOURCE_EXHAUSTED" },
  quota: { code: 429, status: "RESOURCE_EXHAUSTED" },
  server_error: { code: 500, status: "INTERNAL" },
  overloaded: { code: 503, status: "UNAVAILABLE" },
  timeout: { code: 504, status: "DEADLINE_EXCEEDED" },
  unauthorized: { code: 400, status: "INVALID_ARGUMENT", reason: "API_KEY_INVALID" },
  invalid: { code: 400, status: "INVALID_ARGUMENT" },
  refused: { code: 400, status: "INVALID_ARGUMENT", reason: "content_policy_violation" },
};

/** The vendor tells the wait in the body, as RetryInfo. */
function googleFailure({ kind, message, retryAfterSeconds }: Failure): {
  readonly status: number;
  readonly body: unknown;
} {
  const { code, status, reason } = SHAPES[kind];
  const details = [
    ...(reason === undefined ? [] : [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }]),
    ...(retryAfterSeconds === undefined
      ? []
      : [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${retryAfterSeconds}s` }]),
  ];
  return { status: code, body: { error: { code, message, status, details } } };
}
