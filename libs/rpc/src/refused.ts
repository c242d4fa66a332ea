import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";

// A connection that got a GOAWAY refuses streams until the next one is open, a few milliseconds later.
const WAITS_MS = [5, 20, 80, 320];

/**
 * Repeats a unary call that the other side never took up: its HTTP/2 stream was refused, as happens while a server
 * drains. That is safe for every method (https://www.rfc-editor.org/rfc/rfc9113#section-8.7). What stays refused, and a
 * refused stream of messages, ends as `UNAVAILABLE`, where connect-node says `internal`.
 */
export const refusedInterceptor: Interceptor = (next) => async (request) => {
  for (const wait of request.stream ? [] : WAITS_MS) {
    try {
      return await next(request);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await sleep(wait, undefined, { signal: request.signal });
    }
  }
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: refusedAsUnavailable(response.message) } : response;
  } catch (error) {
    throw unavailable(error);
  }
};

async function* refusedAsUnavailable<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): unknown {
  return isRefused(error) ? reject(Reason.UNAVAILABLE, { message: "The server is going away.", cause: error }) : error;
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof ConnectError) || error.isWireError) return false;
  return /REFUSED_STREAM|ERR_HTTP2_(GOAWAY|INVALID)_SESSION/.test(`${error.rawMessage} ${codeOf(error.cause)}`);
}

function codeOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
}
