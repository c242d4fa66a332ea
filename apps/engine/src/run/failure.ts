import { reject } from "@odg/rpc";
import { DatasetError } from "../dataset/dataset-error.ts";

/** An error of this engine's adapters as the error that travels; anything else as it is. */
export function asReject(error: unknown, field?: string): unknown {
  if (!(error instanceof DatasetError)) return error;
  return reject(error.reason, {
    message: error.message,
    ...(error.subject === undefined ? {} : { subject: error.subject }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(field === undefined ? {} : { field }),
    cause: error.cause,
  });
}
