import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";

/** What the shell gets. */
export const EXIT = {
  ok: 0,
  general: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  validation: 5,
  runFailed: 6,
  findings: 7,
  limit: 8,
  unavailable: 9,
  timeout: 124,
  interrupted: 130,
} as const;

const BY_CODE: Partial<Record<Code, number>> = {
  [Code.NotFound]: EXIT.notFound,
  [Code.Unauthenticated]: EXIT.denied,
  [Code.PermissionDenied]: EXIT.denied,
  [Code.InvalidArgument]: EXIT.validation,
  [Code.OutOfRange]: EXIT.validation,
  [Code.FailedPrecondition]: EXIT.validation,
  [Code.AlreadyExists]: EXIT.validation,
  [Code.ResourceExhausted]: EXIT.limit,
  [Code.Unavailable]: EXIT.unavailable,
  [Code.DeadlineExceeded]: EXIT.timeout,
  [Code.Canceled]: EXIT.interrupted,
};

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ConnectError)) return EXIT.general;
  const tooLarge = [Reason.DATA_TOO_LARGE, Reason.MESSAGE_TOO_LARGE, Reason.DAG_TOO_LARGE];
  if (tooLarge.includes(reasonOf(error))) return EXIT.validation;
  return BY_CODE[error.code] ?? EXIT.general;
}
