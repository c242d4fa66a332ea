import type { Transport } from "@connectrpc/connect";

/**
 * A transport that asks for another one at each call, and tells errors in other words. An error after the caller's own abort stays as
 * it is, at once.
 */
export function watchedTransport(current: () => Transport, explained: (error: unknown) => Promise<unknown>): Transport {
  return {
    async unary(method, signal, ...call) {
      try {
        return await current().unary(method, signal, ...call);
      } catch (error) {
        throw signal?.aborted ? error : await explained(error);
      }
    },
    async stream(method, signal, ...call) {
      const tell = async (error: unknown) => (signal?.aborted ? error : await explained(error));
      try {
        const response = await current().stream(method, signal, ...call);
        return { ...response, message: telling(response.message, tell) };
      } catch (error) {
        throw await tell(error);
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
