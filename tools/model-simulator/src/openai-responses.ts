/** OpenAI's Responses API. */
import { openAIFailure } from "./openai-failure.ts";
import { type Ask, type Frame, json, type Misshapen, type Protocol, type Reply, textOf } from "./protocol.ts";
import { publishedShape } from "./published.ts";

const faultsOf = publishedShape("CreateResponse");

/** What is read of a body that fits the published schema. */
interface Body {
  readonly model: string;
  readonly instructions?: string;
  readonly input: string | readonly { readonly content: string | readonly { readonly text?: string }[] }[];
  readonly stream?: boolean;
  readonly max_output_tokens?: number;
  readonly reasoning?: { readonly effort?: string };
  readonly text?: { readonly format?: { readonly schema?: Ask["schema"] } };
}

export const openAIResponses: Protocol = {
  name: "openai",
  path: /^\/v1\/responses$/,
  read,
  whole: (reply) => response(reply, reply.cutOff ? "incomplete" : "completed"),
  frames,
  errorFrame: ({ kind, message }) =>
    json("error", {
      type: "error",
      code: kind === "overloaded" ? "server_error" : kind,
      message,
      param: null,
      sequence_number: 9,
    }),
  failure: openAIFailure,
};

function read(_url: URL, body: unknown): Ask | Misshapen {
  const faults = faultsOf(body);
  if (faults.length > 0) return { faults };
  const { model, instructions, input, stream, max_output_tokens, reasoning, text } = body as Body;
  const effort = reasoning?.effort;
  return {
    model,
    stream: stream ?? false,
    system: instructions ?? "",
    prompt: typeof input === "string" ? input : input.map(({ content }) => contentText(content)).join("\n"),
    schema: text?.format?.schema,
    maxOutputTokens: max_output_tokens ?? 128_000,
    thinks: effort !== undefined && effort !== "none",
    caches: true,
  };
}

function contentText(content: string | readonly { readonly text?: string }[]): string {
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("");
}

function response(reply: Reply, status: "in_progress" | "completed" | "incomplete"): Record<string, unknown> {
  const { id, model, counts } = reply;
  const done = status !== "in_progress";
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: 0,
    status,
    model,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    output: done ? [message(reply)] : [],
    usage: done
      ? {
          input_tokens: counts.input,
          input_tokens_details: { cached_tokens: counts.cached },
          output_tokens: counts.output,
          output_tokens_details: { reasoning_tokens: counts.reasoning },
          total_tokens: counts.input + counts.output,
        }
      : null,
  };
}

function message(reply: Reply): Record<string, unknown> {
  return { id: `msg_${reply.id}`, type: "message", role: "assistant", status: "completed", content: [part(reply)] };
}

function part(reply: Reply): Record<string, unknown> {
  if (reply.refusal !== undefined) return { type: "refusal", refusal: reply.refusal };
  return { type: "output_text", text: textOf(reply), annotations: [] };
}

function frames(reply: Reply): readonly Frame[] {
  const place = { item_id: `msg_${reply.id}`, output_index: 0, content_index: 0 };
  const refused = reply.refusal !== undefined;
  const kind = refused ? "refusal" : "output_text";
  const deltas = refused ? [reply.refusal ?? ""] : reply.deltas;
  const end = reply.cutOff ? "incomplete" : "completed";
  const events: Record<string, unknown>[] = [
    { type: "response.created", response: response(reply, "in_progress") },
    { type: "response.in_progress", response: response(reply, "in_progress") },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...message(reply), status: "in_progress", content: [] },
    },
    ...deltas.map((delta) => ({ type: `response.${kind}.delta`, ...place, delta })),
    { type: `response.${kind}.done`, ...place, [refused ? "refusal" : "text"]: deltas.join("") },
    { type: "response.output_item.done", output_index: 0, item: message(reply) },
    { type: `response.${end}`, response: response(reply, end) },
  ];
  return events.map((event, index) => json(String(event.type), { ...event, sequence_number: index }));
}
