/** OpenAI's Chat Completions, which vLLM, Ollama and others speak as well. */
import { openAIFailure } from "./openai-failure.ts";
import { type Ask, type Frame, json, type Misshapen, type Protocol, type Reply, textOf } from "./protocol.ts";
import { publishedShape } from "./published.ts";

const faultsOf = publishedShape("CreateChatCompletionRequest");

/** What is read of a body that fits the published schema. */
interface Body {
  readonly model: string;
  readonly messages: readonly {
    readonly role: string;
    readonly content: string | readonly { readonly text?: string }[];
  }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly reasoning_effort?: string;
  readonly response_format?: { readonly json_schema?: { readonly schema?: Ask["schema"] } };
}

export const openAIChat: Protocol = {
  name: "compatible",
  path: /^\/v1\/chat\/completions$/,
  read,
  whole,
  frames,
  errorFrame: (failure) => json(undefined, openAIFailure(failure).body),
  failure: openAIFailure,
};

function read(_url: URL, body: unknown): Ask | Misshapen {
  const faults = faultsOf(body);
  if (faults.length > 0) return { faults };
  const { model, messages, stream, max_tokens, max_completion_tokens, reasoning_effort, response_format } =
    body as Body;
  const isSystem = ({ role }: { readonly role: string }) => role === "system" || role === "developer";
  return {
    model,
    stream: stream ?? false,
    system: messages.filter(isSystem).map(contentText).join("\n"),
    prompt: messages
      .filter((message) => !isSystem(message))
      .map(contentText)
      .join("\n"),
    schema: response_format?.json_schema?.schema,
    maxOutputTokens: max_completion_tokens ?? max_tokens ?? 128_000,
    thinks: reasoning_effort !== undefined && reasoning_effort !== "none",
    caches: true,
  };
}

function contentText({ content }: Body["messages"][number]): string {
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("");
}

function usage({ counts }: Reply): Record<string, unknown> {
  return {
    prompt_tokens: counts.input,
    prompt_tokens_details: { cached_tokens: counts.cached },
    completion_tokens: counts.output,
    completion_tokens_details: { reasoning_tokens: counts.reasoning },
    total_tokens: counts.input + counts.output,
  };
}

function whole(reply: Reply): unknown {
  const refused = reply.refusal !== undefined;
  const message = { role: "assistant", content: refused ? null : textOf(reply), refusal: reply.refusal ?? null };
  return {
    id: `chatcmpl-${reply.id}`,
    object: "chat.completion",
    created: 0,
    model: reply.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish(reply) }],
    usage: usage(reply),
  };
}

function finish({ cutOff }: Reply): string {
  return cutOff ? "length" : "stop";
}

function frames(reply: Reply): readonly Frame[] {
  const envelope = { id: `chatcmpl-${reply.id}`, object: "chat.completion.chunk", created: 0, model: reply.model };
  const chunk = (delta: Record<string, unknown>, finish_reason: string | null) =>
    json(undefined, { ...envelope, choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null });
  const deltas =
    reply.refusal === undefined ? reply.deltas.map((content) => ({ content })) : [{ refusal: reply.refusal }];
  return [
    chunk({ role: "assistant", content: "" }, null),
    ...deltas.map((delta) => chunk(delta, null)),
    chunk({}, finish(reply)),
    json(undefined, { ...envelope, choices: [], usage: usage(reply) }),
    { data: "[DONE]" },
  ];
}
