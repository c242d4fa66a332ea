import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";

// A connection that got a GOAWAY refuses streams until the next one is open, a few milliseconds later.
const WAITS_MS = [5, 20, 80, 320];

/**
 * Repeats a unary call that the other side never took up: its HTTP/2 stream was refused, as happens while a server
 * drains. That is safe for every method (https://www.rfc-editor.org/rfc/rfc9113#section-8.7). What stays refused, a refused stream of
 * messages, one that was cut off because nobody read it, and a peer that does not speak HTTP/2 end as `UNAVAILABLE`, where
 * connect-node says `internal` or nothing of use.
 */
export const refusedInterceptor: Interceptor = (next) => async (request) => {
  for (const wait of request.stream ? [] : WAITS_MS) {
    try {
      return await next(request);
    } catch (error) {
      if (!isRefused(error)) throw unavailable(error);
      await sleep(wait, undefined, { signal: request.signal });
    }
  }
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: asUnavailable(response.message) } : response;
  } catch (error) {
    throw unavailable(error);
  }
};

async function* asUnavailable<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): unknown {
  if (isRefused(error)) return reject(Reason.UNAVAILABLE, { message: "The server is going away.", cause: error });
  if (saysLocally(error, /ENHANCE_YOUR_CALM/)) {
    const message = "The server ended the call, since its answer was not read for too long.";
    return reject(Reason.UNAVAILABLE, { message, cause: error });
  }
  if (saysLocally(error, /ERR_HTTP2_ERROR/)) {
    const message = "What listens there does not speak HTTP/2, as gRPC needs; is it a port for HTTP/1.1?";
    const hint = "Name the port for gRPC; the engine's is ODG_PORT, 50051 by default.";
    return reject(Reason.UNAVAILABLE, { message, hint, retryable: false, cause: error });
  }
  return error;
}

function isRefused(error: unknown): boolean {
  return saysLocally(error, /REFUSED_STREAM|ERR_HTTP2_(GOAWAY|INVALID)_SESSION/);
}

/** Whether an error that no server sent is of this kind. */
function saysLocally(error: unknown, kind: RegExp): boolean {
  if (!(error instanceof ConnectError) || error.isWireError) return false;
  return kind.test(`${error.rawMessage} ${codeOf(error.cause)}`);
}

function codeOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
}
