import { Reason } from "@odg/proto/odg/error/v1/error_pb";

/** What a {@link DatasetError} says beyond its reason and message. */
export interface DatasetErrorDetails {
  /** What is at fault: a column, a line, an option. Never a value of the data, never an absolute path. */
  readonly subject?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** What went wrong underneath; for the log only. */
  readonly cause?: unknown;
}

/** A dataset that cannot be opened or read, by a reason of the error table. The message is safe to show to people. */
export class DatasetError extends Error {
  override readonly name = "DatasetError";
  readonly reason: Reason;
  readonly subject: string | undefined;
  readonly hint: string | undefined;

  constructor(reason: Reason, message: string, details: DatasetErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.reason = reason;
    this.subject = details.subject;
    this.hint = details.hint;
  }
}

/** A {@link DatasetError} as plain data, to cross from a worker thread. */
export interface DatasetFault {
  readonly reason: Reason;
  readonly message: string;
  readonly subject?: string;
  readonly hint?: string;
}

/** The fault of an error; undefined where it is not a DatasetError. */
export function faultOf(error: unknown): DatasetFault | undefined {
  if (!(error instanceof DatasetError)) return undefined;
  return { reason: error.reason, message: error.message, subject: error.subject, hint: error.hint };
}

/** The error of a fault that came from a worker thread. */
export function errorOfFault(fault: DatasetFault): DatasetError {
  return new DatasetError(fault.reason, fault.message, { subject: fault.subject, hint: fault.hint });
}

/** The caller gave up. */
export function cancelled(cause?: unknown): DatasetError {
  return new DatasetError(Reason.CANCELLED, "The work on the dataset was cancelled", { cause });
}
