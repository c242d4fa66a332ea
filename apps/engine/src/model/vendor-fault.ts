/** Reads what the three vendors answer when they do not answer: their statuses, codes and waits, as one kind of error. */
import * as z from "zod";
import { ModelError, type ModelErrorKind } from "./model-error.ts";

const detail = z.object({ reason: z.string().optional(), retryDelay: z.string().optional() });
/** OpenAI: type, code, param. Anthropic: type. Gemini: code (a number), status, details. */
const faultSchema = z.object({
  type: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  status: z.string().nullish(),
  param: z.string().nullish(),
  details: z.array(detail.catch({})).nullish().catch(undefined),
});
const bodySchema = z.union([
  z.object({ error: faultSchema }),
  // Gemini wraps the error of a stream in a list.
  z.tuple([z.object({ error: faultSchema })]).transform(([one]) => one),
]);

type Fault = z.infer<typeof faultSchema>;

export interface VendorAnswer {
  readonly model: string;
  /** Absent where the fault stands inside a stream that began well. */
  readonly status?: number;
  readonly headers?: Headers;
  /** The parsed JSON of the body or of the stream's event; undefined where it was none. */
  readonly body: unknown;
  readonly nowMs: number;
}

/** The error for an answer that is none. */
export function vendorFault({ model, status, headers, body, nowMs }: VendorAnswer): ModelError {
  const parsed = bodySchema.safeParse(body);
  const fault: Fault = parsed.success ? parsed.data.error : {};
  const codes = codesOf(fault);
  const kind = kindOf(status ?? statusIn(fault), codes);
  return new ModelError(kind, {
    model,
    status: status ?? statusIn(fault),
    code: codes.map(identifier).find((code) => code !== undefined),
    field: fault.param ? fieldName(fault.param) : undefined,
    retryAfterMs: retryAfterMs(headers, fault, nowMs),
    retryable: codes.includes("insufficient_quota") ? false : undefined,
  });
}

function codesOf(fault: Fault): string[] {
  const reasons = (fault.details ?? []).map(({ reason }) => reason);
  return [...reasons, typeof fault.code === "string" ? fault.code : undefined, fault.status, fault.type].filter(
    (code) => typeof code === "string" && code !== "",
  ) as string[];
}

function statusIn({ code }: Fault): number | undefined {
  return typeof code === "number" ? code : undefined;
}

const KIND_BY_CODE: ReadonlyMap<string, ModelErrorKind> = new Map<string, ModelErrorKind>([
  ["API_KEY_INVALID", "authentication"],
  ["authentication_error", "authentication"],
  ["permission_error", "authentication"],
  ["invalid_api_key", "authentication"],
  ["content_policy_violation", "refused"],
  ["content_filter", "refused"],
  ["invalid_prompt", "refused"],
  ["rate_limit_error", "rate_limited"],
  ["rate_limit_exceeded", "rate_limited"],
  ["insufficient_quota", "rate_limited"],
  ["RESOURCE_EXHAUSTED", "rate_limited"],
  ["overloaded_error", "overloaded"],
  ["api_error", "overloaded"],
  ["server_error", "overloaded"],
  ["INTERNAL", "overloaded"],
  ["UNAVAILABLE", "overloaded"],
  ["timeout_error", "timeout"],
  ["DEADLINE_EXCEEDED", "timeout"],
  ["invalid_request_error", "invalid_request"],
  ["INVALID_ARGUMENT", "invalid_request"],
]);

/** A code says more than a status (Gemini answers a wrong key with 400), but only where it contradicts no 5xx. */
function kindOf(status: number | undefined, codes: readonly string[]): ModelErrorKind {
  if (status === 408 || status === 504) return "timeout";
  if (status !== undefined && status >= 500) return "overloaded";
  if (status === 429) return "rate_limited";
  if (status === 401 || status === 403) return "authentication";
  const named = codes.map((code) => KIND_BY_CODE.get(code)).find((kind) => kind !== undefined);
  return named ?? (status === undefined ? "cut" : "invalid_request");
}

/** Waits above a day are taken for a mistake. */
const LONGEST_WAIT_MS = 86_400_000;

/** `retry-after-ms`, `retry-after` in seconds or as a date (RFC 9110, 10.2.3), or Gemini's `RetryInfo`; in milliseconds. */
function retryAfterMs(headers: Headers | undefined, fault: Fault, nowMs: number): number | undefined {
  const seconds = headers?.get("retry-after") ?? undefined;
  const delay = (fault.details ?? []).map(({ retryDelay }) => retryDelay).find((one) => one !== undefined);
  const candidates = [
    Number.parseFloat(headers?.get("retry-after-ms") ?? ""),
    seconds !== undefined && /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) * 1000 : Number.NaN,
    seconds !== undefined && /[a-z]/i.test(seconds) ? Date.parse(seconds) - nowMs : Number.NaN,
    delay !== undefined && /^\d+(\.\d+)?s$/.test(delay) ? Number.parseFloat(delay) * 1000 : Number.NaN,
  ];
  const wait = candidates.find((ms) => Number.isFinite(ms));
  return wait === undefined ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(wait)));
}

/** Codes and fields are identifiers. A vendor that puts a sentence there is not quoted. */
function identifier(code: string): string | undefined {
  return /^[A-Za-z][A-Za-z_]{0,63}$/.test(code) ? code : undefined;
}

function fieldName(param: string): string | undefined {
  return /^[a-z_]{1,32}([.[][a-z_0-9\]]{1,32}){0,8}$/.test(param) ? param : undefined;
}
