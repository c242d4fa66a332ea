import type { Transport } from "@connectrpc/connect";

/** What goes on around the calls of a {@link watchedTransport}. */
export interface Watch {
  /** The transport to use now; may throw. */
  readonly current: () => Transport;
  /** An error in other words; not asked after the caller's own abort, whose error stays as it is, at once. */
  readonly explained: (error: unknown) => Promise<unknown>;
  /** The caller went before the end of a call. */
  readonly abandoned: () => void;
}

/** A transport that asks for another one at each call. */
export function watchedTransport({ current, explained, abandoned }: Watch): Transport {
  const tell = async (error: unknown, signal: AbortSignal | undefined) => {
    if (!signal?.aborted) return explained(error);
    abandoned();
    return error;
  };
  return {
    async unary(method, signal, ...call) {
      try {
        return await current().unary(method, signal, ...call);
      } catch (error) {
        throw await tell(error, signal);
      }
    },
    async stream(method, signal, ...call) {
      try {
        const response = await current().stream(method, signal, ...call);
        return { ...response, message: telling(response.message, (error) => tell(error, signal)) };
      } catch (error) {
        throw await tell(error, signal);
      }
    },
  };
}

async function* telling<T>(messages: AsyncIterable<T>, tell: (error: unknown) => Promise<unknown>): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw await tell(error);
  }
}
