import type { Usage } from "./model.ts";

/** What can go wrong in a call, and whether the same call may succeed later. */
const RETRYABLE = {
  /** The vendor's limit on requests or tokens. */
  rate_limited: true,
  /** The vendor is overloaded or broken: 5xx. */
  overloaded: true,
  /** No connection, or it ended before an answer began. */
  unreachable: true,
  /** The caller's timeout, or the vendor's own. */
  timeout: true,
  /** The answer ended in its middle. */
  cut: true,
  /** The vendor declined the prompt itself, before any answer. */
  refused: false,
  /** The request was wrong: unknown model, schema, parameter, too long. */
  invalid_request: false,
  /** The key is missing, wrong, or not allowed to do this. */
  authentication: false,
  /** The answer is no JSON, does not fit its schema, is too large, or breaks the vendor's protocol. */
  malformed: false,
  /** The caller's signal, not a timeout. */
  cancelled: false,
} as const;

export type ModelErrorKind = keyof typeof RETRYABLE;

export interface ModelErrorDetails {
  /** The model's alias. */
  readonly model: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** The vendor's code, or ours; an identifier, never a sentence. */
  readonly code?: string;
  /** The field at fault, where one is known. */
  readonly field?: string;
  readonly retryAfterMs?: number;
  /** Where retrying the kind is of use but not this case: a quota that is used up. */
  readonly retryable?: boolean;
  /** What the vendor had counted when the call failed; it is paid for. */
  readonly usage?: Usage;
}

/**
 * A call that failed. Neither its message nor its fields repeat anything that the vendor wrote in free text, since that may quote the key
 * or the prompt; and it has no `cause`, since the SDKs' errors hold the request.
 */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly kind: ModelErrorKind;
  readonly model: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly field: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly usage: Usage | undefined;

  constructor(kind: ModelErrorKind, details: ModelErrorDetails) {
    super(sentence(kind, details));
    this.kind = kind;
    this.model = details.model;
    this.status = details.status;
    this.code = details.code;
    this.field = details.field;
    this.retryable = details.retryable ?? RETRYABLE[kind];
    this.retryAfterMs = details.retryAfterMs;
    this.usage = details.usage;
  }

  /** The same error, with what had been used. */
  withUsage(usage: Usage | undefined): ModelError {
    return usage === undefined || this.usage ? this : new ModelError(this.kind, { ...this, usage });
  }
}

function sentence(kind: ModelErrorKind, { model, status, code, field, retryAfterMs }: ModelErrorDetails): string {
  const facts = [
    status === undefined ? undefined : `HTTP ${status}`,
    code,
    field === undefined ? undefined : `at ${field}`,
    retryAfterMs === undefined ? undefined : `retry after ${retryAfterMs} ms`,
  ].filter((fact) => fact !== undefined);
  return `${model}: ${kind.replaceAll("_", " ")}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}
