/** Anthropic's Messages API. Its published shape is the types of its SDK (`MessageCreateParams` of @anthropic-ai/sdk 1.12). */
import * as z from "zod";
import {
  type Ask,
  type Failure,
  type FailureKind,
  type Frame,
  json,
  type Misshapen,
  type Protocol,
  type Reply,
  textOf,
} from "./protocol.ts";

const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() });
const textBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string().min(1),
  cache_control: cacheControl.nullish(),
});
/** As the vendor has it: closed objects, and none of the keywords that its SDK moves into descriptions. */
const outputSchema = z.record(z.string(), z.unknown()).refine((schema) => unsupported(schema) === undefined, {
  error: ({ input }) => `${unsupported(input)} is not supported`,
});

const requestSchema = z
  .strictObject({
    model: z.string().min(1),
    max_tokens: z.int().positive(),
    messages: z
      .array(
        z.strictObject({
          role: z.enum(["user", "assistant"]),
          content: z.union([z.string().min(1), z.array(textBlock).min(1)]),
        }),
      )
      .min(1),
    system: z.union([z.string(), z.array(textBlock)]).optional(),
    stream: z.boolean().optional(),
    stop_sequences: z.array(z.string()).optional(),
    metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
    service_tier: z.enum(["auto", "standard_only"]).optional(),
    cache_control: cacheControl.nullish(),
    thinking: z
      .union([
        z.strictObject({ type: z.literal("disabled") }),
        z.strictObject({ type: z.literal("adaptive"), display: z.enum(["summarized", "omitted"]).nullish() }),
        z.strictObject({ type: z.literal("enabled"), budget_tokens: z.int().min(1024) }),
      ])
      .optional(),
    output_config: z
      .strictObject({
        effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(),
        format: z.strictObject({ type: z.literal("json_schema"), schema: outputSchema }).nullish(),
      })
      .optional(),
  })
  .refine(({ messages }) => messages.at(-1)?.role === "user", {
    path: ["messages"],
    error: "the last is not the user's",
  });

export const anthropicMessages: Protocol = {
  name: "anthropic",
  path: /^\/v1\/messages$/,
  read,
  whole: (reply) => ({ ...message(reply, content(reply)), ...end(reply), usage: usage(reply, reply.counts.output) }),
  frames,
  errorFrame: (failure) => json("error", anthropicFailure(failure).body),
  failure: anthropicFailure,
};

function read(_url: URL, body: unknown): Ask | Misshapen {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success)
    return { faults: parsed.error.issues.map(({ path, message: why }) => `${path.join(".")}: ${why}`) };
  const { model, stream, system, messages, max_tokens, thinking, output_config } = parsed.data;
  const blocks = typeof system === "string" ? [] : (system ?? []);
  return {
    model,
    stream: stream ?? false,
    system: typeof system === "string" ? system : blocks.map(({ text }) => text).join(""),
    prompt: messages
      .map(({ content: parts }) => (typeof parts === "string" ? parts : parts.map(({ text }) => text).join("")))
      .join("\n"),
    schema: output_config?.format?.schema,
    maxOutputTokens: max_tokens,
    thinks: thinking !== undefined && thinking.type !== "disabled",
    caches: blocks.some(({ cache_control }) => cache_control),
  };
}

const NOT_SUPPORTED = ["minimum", "maximum", "minLength", "maxLength", "maxItems", "multipleOf", "oneOf", "$schema"];

/** The first keyword that the vendor refuses, or an object that is open. */
function unsupported(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  if (Array.isArray(node)) return node.map(unsupported).find((found) => found !== undefined);
  const schema = node as Record<string, unknown>;
  if (schema.type === "object" && schema.additionalProperties !== false) return "an object that is open";
  const { properties, $defs, ...rest } = schema;
  const own = NOT_SUPPORTED.find((keyword) => keyword in rest);
  const children = [properties, $defs].flatMap((map) =>
    typeof map === "object" && map !== null ? Object.values(map) : [],
  );
  return own ?? [...children, rest.items, rest.anyOf, rest.allOf].map(unsupported).find((found) => found !== undefined);
}

function usage({ counts }: Reply, output: number): Record<string, unknown> {
  return {
    input_tokens: counts.input - counts.cached - counts.written,
    cache_read_input_tokens: counts.cached,
    cache_creation_input_tokens: counts.written,
    cache_creation: null,
    output_tokens: output,
    output_tokens_details: output > 1 ? { thinking_tokens: counts.reasoning } : null,
  };
}

function message({ id, model }: Reply, blocks: readonly unknown[]): Record<string, unknown> {
  return { id: `msg_${id}`, type: "message", role: "assistant", model, content: blocks };
}

function content(reply: Reply): readonly unknown[] {
  return reply.refusal === undefined ? [{ type: "text", text: textOf(reply), citations: null }] : [];
}

function end({ refusal, cutOff }: Reply): Record<string, unknown> {
  if (refusal === undefined)
    return { stop_reason: cutOff ? "max_tokens" : "end_turn", stop_sequence: null, stop_details: null };
  return {
    stop_reason: "refusal",
    stop_sequence: null,
    stop_details: { type: "refusal", category: "general_harms", explanation: refusal },
  };
}

function frames(reply: Reply): readonly Frame[] {
  const start = {
    ...message(reply, []),
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: usage(reply, 1),
  };
  const text = { type: "text", text: "", citations: null };
  const deltas = reply.deltas.map((delta) => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: delta },
  }));
  const block = [
    { type: "content_block_start", index: 0, content_block: text },
    ...deltas,
    { type: "content_block_stop", index: 0 },
  ];
  const events: { readonly type: string }[] = [
    { type: "message_start", ...{ message: start } },
    { type: "ping" },
    ...(reply.refusal === undefined ? block : []),
    {
      type: "message_delta",
      ...{ delta: { ...end(reply), container: null }, usage: usage(reply, reply.counts.output) },
    },
    { type: "message_stop" },
  ];
  return events.map((event) => json(event.type, event));
}

const SHAPES: Readonly<Record<FailureKind, { readonly status: number; readonly type: string }>> = {
  rate_limited: { status: 429, type: "rate_limit_error" },
  quota: { status: 429, type: "rate_limit_error" },
  server_error: { status: 500, type: "api_error" },
  overloaded: { status: 529, type: "overloaded_error" },
  timeout: { status: 504, type: "timeout_error" },
  unauthorized: { status: 401, type: "authentication_error" },
  invalid: { status: 400, type: "invalid_request_error" },
  refused: { status: 400, type: "content_policy_violation" },
};

function anthropicFailure({ kind, message: text }: Failure): { readonly status: number; readonly body: unknown } {
  const { status, type } = SHAPES[kind];
  return { status, body: { type: "error", error: { type, message: text }, request_id: "req_simulator" } };
}
