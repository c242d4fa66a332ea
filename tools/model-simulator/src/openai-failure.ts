import type { Failure, FailureKind } from "./protocol.ts";

const SHAPES: Readonly<
  Record<FailureKind, { readonly status: number; readonly type: string; readonly code: string | null }>
> = {
  rate_limited: { status: 429, type: "tokens", code: "rate_limit_exceeded" },
  quota: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  server_error: { status: 500, type: "server_error", code: null },
  overloaded: { status: 503, type: "server_error", code: null },
  timeout: { status: 504, type: "server_error", code: null },
  unauthorized: { status: 401, type: "invalid_request_error", code: "invalid_api_key" },
  invalid: { status: 400, type: "invalid_request_error", code: "unknown_parameter" },
  refused: { status: 400, type: "invalid_request_error", code: "content_policy_violation" },
};

/** What OpenAI, and whatever is compatible with it, answers in place of an answer. */
export function openAIFailure({ kind, message, field }: Failure): { readonly status: number; readonly body: unknown } {
  const { status, type, code } = SHAPES[kind];
  return { status, body: { error: { message, type, code, param: field ?? null } } };
}
