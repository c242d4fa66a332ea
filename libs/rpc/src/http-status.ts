import { Code } from "@connectrpc/connect";

/** A code in Connect's spelling, as in its JSON errors: `invalid_argument`. */
export function codeName(code: Code): string {
  const name = Code[code] ?? "Unknown";
  return name.replace(/[a-z][A-Z]/g, (pair) => `${pair[0]}_${pair[1]}`).toLowerCase();
}

// https://connectrpc.com/docs/protocol#error-codes
const STATUS: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** HTTP status of a code, by Connect's own mapping. */
export function httpStatusOf(code: Code): number {
  return STATUS[code];
}
