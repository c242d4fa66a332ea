import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "@odg/proto/google/rpc/error_details_pb";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ERROR_DOMAIN, helpLink, isNamedReason, REASONS, reasonName, reasonNamed } from "./reasons.ts";

/** One field at fault. */
export interface FieldViolation {
  /** Path in the request, in the names of the .proto: `tasks[3].depends_on[0]`. */
  readonly field: string;
  /** What is wrong with it, never its value. */
  readonly description: string;
}

/** What one error says beyond its reason. */
export interface RejectDetails {
  /** One sentence for people; the reason's title where absent. Holds no secret and no raw value of the data. */
  readonly message?: string;
  /** Path of the one field at fault; the message describes it. */
  readonly field?: string;
  /** All fields at fault, where there are several. */
  readonly fields?: readonly FieldViolation[];
  /** What is at fault where it is no field of the request: a column, a file, a line. */
  readonly subject?: string;
  /** What to do about this very error; the reason's help where absent. */
  readonly hint?: string;
  /** Overrides the table, where a reason has a second meaning to callers: decided otherwise (aborted) beside decided too late. */
  readonly code?: Code;
  /** Overrides the table, where this very error is known to pass, or not to. */
  readonly retryable?: boolean;
  /** Milliseconds to wait before the next try; becomes a RetryInfo. */
  readonly retryAfterMs?: number;
  /** Further facts for machines, in `ErrorInfo.metadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Headers of the answer, such as `www-authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Id of the request; the server adds it by itself. */
  readonly requestId?: string;
  /** What went wrong underneath: for the server's log, never sent. */
  readonly cause?: unknown;
}

/**
 * Builds the error of a reason, to be thrown: `throw reject(Reason.NOT_FOUND, { message: "…" })`.
 * It carries google.rpc details: ErrorInfo (reason, domain `odg.dev`), BadRequest, RetryInfo, Help and RequestInfo.
 * A stored {@link Failure} is turned back into the error that it was. Nothing else builds a ConnectError.
 */
export function reject(reason: Reason, details?: RejectDetails): ConnectError;
export function reject(failure: Failure): ConnectError;
export function reject(what: Reason | Failure, details: RejectDetails = {}): ConnectError {
  if (typeof what === "object") return reject(what.reason, detailsOfFailure(what));
  const reason = isNamedReason(what) ? what : Reason.INTERNAL;
  const entry = REASONS[reason];
  const message = details.message ?? entry.title;
  return new ConnectError(
    message,
    details.code ?? entry.code,
    details.headers,
    outgoingDetails(reason, message, details),
    details.cause,
  );
}

function detailsOfFailure(failure: Failure): RejectDetails {
  return {
    message: failure.message || undefined,
    subject: failure.subject || undefined,
    hint: failure.hint || undefined,
    retryable: failure.retryable,
  };
}

type OutgoingDetail = Exclude<ConnectError["details"][number], { type: string }>;

function outgoingDetails(reason: Reason, message: string, details: RejectDetails): OutgoingDetail[] {
  const all: OutgoingDetail[] = [
    {
      desc: ErrorInfoSchema,
      value: create(ErrorInfoSchema, {
        reason: reasonName(reason),
        domain: ERROR_DOMAIN,
        metadata: errorMetadata(details),
      }),
    },
  ];
  const fieldViolations = details.fields ?? (details.field ? [{ field: details.field, description: message }] : []);
  if (fieldViolations.length > 0) {
    const value = create(BadRequestSchema, { fieldViolations: fieldViolations.map((v) => ({ ...v })) });
    all.push({ desc: BadRequestSchema, value });
  }
  if (details.retryAfterMs !== undefined) {
    const value = create(RetryInfoSchema, { retryDelay: durationOf(details.retryAfterMs) });
    all.push({ desc: RetryInfoSchema, value });
  }
  const links = [{ description: details.hint ?? helpText(reason), url: helpLink(reason) }];
  all.push({ desc: HelpSchema, value: create(HelpSchema, { links }) });
  if (details.requestId) all.push(requestInfo(details.requestId));
  return all;
}

function errorMetadata(details: RejectDetails): Record<string, string> {
  const metadata: Record<string, string> = { ...details.metadata };
  if (details.hint) metadata.hint = details.hint;
  if (details.subject) metadata.subject = details.subject;
  if (details.retryable !== undefined) metadata.retryable = String(details.retryable);
  return metadata;
}

function helpText(reason: Reason): string {
  return isNamedReason(reason) ? REASONS[reason].help : "";
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  const whole = Math.max(0, Math.ceil(ms));
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}

function requestInfo(requestId: string): OutgoingDetail {
  return { desc: RequestInfoSchema, value: create(RequestInfoSchema, { requestId }) };
}

/**
 * The reason of any error: its ErrorInfo where it has one of ours, else what its code says beyond doubt, else the
 * fallback (`Reason.INTERNAL` unless told otherwise).
 */
export function reasonOf(error: unknown, fallback: Reason = Reason.INTERNAL): Reason {
  if (error instanceof ConnectError) return ownReason(error) ?? REASON_OF_CODE[error.code] ?? fallback;
  if (isNamed(error, "AbortError")) return Reason.CANCELLED;
  if (isNamed(error, "TimeoutError")) return Reason.DEADLINE_EXCEEDED;
  return fallback;
}

// Only the codes that leave no doubt; the others have several reasons.
const REASON_OF_CODE: { readonly [code in Code]?: Reason } = {
  [Code.Canceled]: Reason.CANCELLED,
  [Code.DeadlineExceeded]: Reason.DEADLINE_EXCEEDED,
  [Code.NotFound]: Reason.NOT_FOUND,
  [Code.PermissionDenied]: Reason.POLICY_DENIED,
  [Code.Unauthenticated]: Reason.UNAUTHENTICATED,
  [Code.Unavailable]: Reason.UNAVAILABLE,
  [Code.Unimplemented]: Reason.UNIMPLEMENTED,
};

const RETRYABLE_CODES: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.Aborted,
  Code.DeadlineExceeded,
]);

// Codes whose message may hold anything, unless the error is one of ours.
const OPAQUE_CODES: ReadonlySet<Code> = new Set([Code.Internal, Code.Unknown, Code.DataLoss]);

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

function errorInfo(error: ConnectError): { reason: string; metadata: Record<string, string> } | undefined {
  return error.findDetails(ErrorInfoSchema).find((info) => info.domain === ERROR_DOMAIN);
}

/** The reason that an error carries by itself; undefined where it has no ErrorInfo of this domain. */
export function ownReason(error: ConnectError): Reason | undefined {
  const info = errorInfo(error);
  return info ? reasonNamed(info.reason) : undefined;
}

/**
 * Any error as a {@link Failure}, the form that is stored and shown. The text of an error that is not ours and not
 * plainly meant for the caller (a thrown Error, or code internal, unknown or data_loss) is replaced by the title of its
 * reason, since it may hold anything.
 */
export function failureOf(error: unknown, fallback: Reason = Reason.INTERNAL): Failure {
  const reason = reasonOf(error, fallback);
  const entry = isNamedReason(reason) ? REASONS[reason] : REASONS[Reason.INTERNAL];
  if (!(error instanceof ConnectError)) {
    return create(FailureSchema, { reason, message: entry.title, retryable: entry.retryable, hint: entry.help });
  }
  const info = errorInfo(error);
  const field = error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field;
  const speaks = info !== undefined || !OPAQUE_CODES.has(error.code);
  return create(FailureSchema, {
    reason,
    message: speaks ? error.rawMessage || entry.title : entry.title,
    retryable: retryableOf(error, info, entry.retryable),
    subject: info?.metadata.subject ?? field ?? "",
    hint: info?.metadata.hint ?? entry.help,
  });
}

function retryableOf(
  error: ConnectError,
  info: { metadata: Record<string, string> } | undefined,
  ofReason: boolean,
): boolean {
  const told = info?.metadata.retryable;
  if (told !== undefined) return told === "true";
  if (error.findDetails(RetryInfoSchema).length > 0) return true;
  return info ? ofReason : ofReason || RETRYABLE_CODES.has(error.code);
}

/** Milliseconds that an error asks to wait before the next try; undefined where it does not say. */
export function retryAfterOf(error: unknown): number | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay ? Number(delay.seconds) * 1000 + delay.nanos / 1_000_000 : undefined;
}

/** Id of the request that an error answers; undefined where it has none. */
export function requestIdOf(error: unknown): string | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const id = error.findDetails(RequestInfoSchema)[0]?.requestId ?? error.metadata.get("x-request-id");
  return id || undefined;
}

/**
 * The error that may leave the server: one of ours as it is, a foreign ConnectError with its reason added, anything
 * else as `INTERNAL` with nothing but the request id. The original stays as `cause`.
 */
export function presentable(error: unknown, requestId: string): ConnectError {
  if (error instanceof ConnectError && ownReason(error) !== undefined) {
    if (error.findDetails(RequestInfoSchema).length > 0) return error;
    const details = [...error.details, requestInfo(requestId)];
    return copyOf(error, details);
  }
  if (error instanceof ConnectError && !OPAQUE_CODES.has(error.code)) {
    const reason = reasonOf(error, Reason.UNSPECIFIED);
    const own = reason === Reason.UNSPECIFIED ? [] : outgoingDetails(reason, error.rawMessage, {});
    return copyOf(error, [...error.details, ...own, requestInfo(requestId)]);
  }
  return reject(reasonOf(error), { requestId, cause: error });
}

function copyOf(error: ConnectError, details: ConnectError["details"]): ConnectError {
  // The headers of an answer from elsewhere are not ours to pass on.
  const headers = error.isWireError ? undefined : error.metadata;
  const copy = new ConnectError(error.rawMessage, error.code, headers, undefined, error.cause ?? error);
  copy.details = details;
  return copy;
}
