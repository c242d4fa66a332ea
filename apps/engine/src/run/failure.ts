import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { DatasetError } from "../dataset/dataset-error.ts";
import { orStoreError, StoreFull, StoreUnavailable } from "../store/unavailable.ts";

/** When a caller may come back after the store was away. */
const STORE_RETRY_MS = 1000;

/** An error of this engine's adapters as the error that travels; anything else as it is. */
export function asReject(error: unknown, field?: string): unknown {
  if (error instanceof DatasetError) {
    return reject(error.reason, {
      message: error.message,
      ...(error.subject === undefined ? {} : { subject: error.subject }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(field === undefined ? {} : { field }),
      cause: error.cause,
    });
  }
  const away = orStoreError(error);
  if (away instanceof StoreFull) return reject(Reason.STORAGE_FULL, { message: away.message, cause: error });
  if (away instanceof StoreUnavailable) {
    return reject(Reason.UNAVAILABLE, { message: away.message, retryAfterMs: STORE_RETRY_MS, cause: error });
  }
  return error;
}

/** Lets errors of this engine's adapters pass through a service under their own reason. */
export const adapterErrors: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: rejecting(response.message) } : response;
  } catch (error) {
    throw asReject(error);
  }
};

async function* rejecting<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw asReject(error);
  }
}
