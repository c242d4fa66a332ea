import type { Transport } from "@connectrpc/connect";
import type { ClosableTransport } from "@odg/rpc";
import { isRepeatable, passesElsewhere } from "./repeatable.ts";

/** Milliseconds in which a server that failed is asked only where no other answers. */
const REST_MS = 1000;

interface Server {
  readonly transport: ClosableTransport;
  restsUntil: number;
}

interface Call<T> {
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly attempt: (transport: Transport, timeoutMs: number | undefined) => Promise<T>;
}

/**
 * A transport to several servers that share one store: calls take turns, and one that fails passes on to the next server, each of
 * which is asked once. What may have been worked on is repeated only where that is safe: see {@link isRepeatable}. A stream
 * passes on until it has begun; a watch resumes by itself.
 */
export function balancedTransport(transports: readonly ClosableTransport[]): ClosableTransport {
  const turns = new Turns(transports);
  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) =>
      turns.call({
        repeatable: isRepeatable(method, input),
        signal,
        timeoutMs,
        attempt: ({ unary }, ms) => unary(method, signal, ms, header, input, contextValues),
      }),
    stream: async (method, signal, timeoutMs, header, input, contextValues) => {
      // What streams from the client is sent once, to whoever is next.
      const sent = method.methodKind === "server_streaming" ? await all(input) : undefined;
      return turns.call({
        repeatable: sent !== undefined && isRepeatable(method, sent[0]),
        signal,
        timeoutMs,
        attempt: ({ stream }, ms) => stream(method, signal, ms, header, sent ? again(sent) : input, contextValues),
      });
    },
    close: () => turns.close(),
  };
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const kept: T[] = [];
  for await (const message of messages) kept.push(message);
  return kept;
}

async function* again<T>(messages: readonly T[]): AsyncGenerator<T> {
  yield* messages;
}

class Turns {
  private readonly servers: readonly Server[];
  private next = 0;
  private closed = false;

  constructor(transports: readonly ClosableTransport[]) {
    this.servers = transports.map((transport) => ({ transport, restsUntil: 0 }));
  }

  async call<T>({ repeatable, signal, timeoutMs, attempt }: Call<T>): Promise<T> {
    const end = performance.now() + (timeoutMs ?? 0);
    let last: unknown;
    for (const server of this.inTurn()) {
      try {
        const answer = await attempt(server.transport, timeoutMs && Math.max(1, Math.ceil(end - performance.now())));
        server.restsUntil = 0;
        return answer;
      } catch (error) {
        if (this.closed || signal?.aborted || !passesElsewhere(error, repeatable)) throw error;
        server.restsUntil = performance.now() + REST_MS;
        last = error;
      }
    }
    throw last;
  }

  close(): void {
    this.closed = true;
    for (const { transport } of this.servers) transport.close();
  }

  /** All servers, the next one first, and those that rest last. */
  private inTurn(): Server[] {
    const first = this.next++ % this.servers.length;
    const turned = [...this.servers.slice(first), ...this.servers.slice(0, first)];
    const now = performance.now();
    return [...turned.filter((one) => one.restsUntil <= now), ...turned.filter((one) => one.restsUntil > now)];
  }
}
