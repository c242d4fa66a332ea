import { constants } from "node:http2";
import type { NodeResponse } from "./handler.ts";

/** How long a caller may take to read. */
export interface ReaderLimits {
  /** Milliseconds for one message, beside {@link SLOWEST_BYTES_PER_MS}. */
  readonly stallMs: number;
  /** Aborted when the server begins to drain. */
  readonly draining?: AbortSignal | undefined;
  /** Told of each caller that is cut off. */
  readonly onCut: (response: NodeResponse) => void;
}

/** 64 KB/s: a large message has this much time in addition, by its size. */
const SLOWEST_BYTES_PER_MS = 64;
/** Milliseconds for one message once the server drains: who does not read must not hold up its end. */
const DRAINING_STALL_MS = 1000;

interface Wait {
  readonly response: NodeResponse;
  readonly bytes: number;
  timer: NodeJS.Timeout;
}

/**
 * Cuts callers off who do not read their answer. While one does not, flow control holds the handler back, so nothing piles up
 * in memory: but handler, stream and socket are held. Such a call ends with the HTTP/2 error ENHANCE_YOUR_CALM, which gRPC reads
 * as `RESOURCE_EXHAUSTED` (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors); by HTTP/1.1 the connection ends.
 * No error with details can be sent, since it would have to wait behind what is not read: a watcher resumes after the last
 * Event that it has.
 */
export class SlowReaders {
  private readonly limits: ReaderLimits;
  private readonly waiting = new Set<Wait>();

  constructor(limits: ReaderLimits) {
    this.limits = limits;
    const hurry = () => {
      for (const wait of this.waiting) {
        clearTimeout(wait.timer);
        wait.timer = this.timer(wait);
      }
    };
    limits.draining?.addEventListener("abort", hurry, { once: true });
  }

  /** The body, each part of which has to be taken in time. */
  async *paced(body: AsyncIterable<Uint8Array>, response: NodeResponse): AsyncGenerator<Uint8Array> {
    for await (const bytes of body) {
      const wait = this.begin(response, bytes.byteLength);
      try {
        yield bytes; // Until it is asked for more, its taker waits for the caller to read.
      } finally {
        this.end(wait);
      }
    }
    // What is left in buffers has to be read, too.
    if (isOver(response)) return;
    const last = this.begin(response, response.writableLength);
    response.once("close", () => this.end(last));
  }

  private begin(response: NodeResponse, bytes: number): Wait {
    const timer = this.timer({ response, bytes });
    const wait = { response, bytes, timer };
    this.waiting.add(wait);
    return wait;
  }

  private end(wait: Wait): void {
    clearTimeout(wait.timer);
    this.waiting.delete(wait);
  }

  private timer({ response, bytes }: Pick<Wait, "response" | "bytes">): NodeJS.Timeout {
    const { stallMs, draining } = this.limits;
    const ms = draining?.aborted ? Math.min(stallMs, DRAINING_STALL_MS) : stallMs;
    return setTimeout(() => this.cut(response), ms + bytes / SLOWEST_BYTES_PER_MS).unref();
  }

  private cut(response: NodeResponse): void {
    if (isOver(response)) return;
    this.limits.onCut(response);
    if ("stream" in response) response.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else response.destroy();
  }
}

function isOver(response: NodeResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}
