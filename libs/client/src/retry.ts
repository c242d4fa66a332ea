import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { failureOf, ownReason, retryAfterOf } from "@odg/rpc";

/** How a client bears with a server that does not answer. */
export interface Patience {
  /** Milliseconds without any success after which the last error is thrown; 60,000 where absent. */
  readonly giveUpMs?: number;
  /** Upper bound of the first wait, in milliseconds; it doubles with each failure. 100 where absent. */
  readonly firstWaitMs?: number;
  /** Upper bound of any wait, in milliseconds; 5,000 where absent. */
  readonly longestWaitMs?: number;
  /** From 0 up to 1: the jitter. `Math.random` where absent. */
  readonly random?: () => number;
}

/**
 * Whether the same call may succeed later: an error of the table says so itself, one that came from no server at all (a
 * connection that was refused, cut or reset) may always pass.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  if (!error.isWireError && ownReason(error) === undefined) return true;
  return failureOf(error).retryable;
}

/**
 * Waits between failures: exponential, with full jitter, so that clients of one restarted server do not come back
 * together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). A RetryInfo is honoured.
 */
export class Backoff {
  private failures = 0;
  private lastSuccess = performance.now();
  private readonly patience: Patience;

  constructor(patience: Patience) {
    this.patience = patience;
  }

  /** A success begins the patience anew, and the waits. */
  succeeded(): void {
    this.failures = 0;
    this.heard();
  }

  /** The server lives, though it does not answer what it was asked for: the patience begins anew, the waits go on growing. */
  heard(): void {
    this.lastSuccess = performance.now();
  }

  /**
   * Waits before the next try.
   *
   * @throws the error itself, when it cannot pass, the patience is over, or the signal is aborted
   */
  async failed(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted || !mayPass(error)) throw error;
    const wait = this.nextWait(error);
    if (performance.now() - this.lastSuccess + wait > (this.patience.giveUpMs ?? 60_000)) throw error;
    await sleep(wait, undefined, { signal });
  }

  private nextWait(error: unknown): number {
    const { firstWaitMs = 100, longestWaitMs = 5000, random = Math.random } = this.patience;
    const bound = Math.min(longestWaitMs, firstWaitMs * 2 ** this.failures);
    this.failures++;
    return Math.max(retryAfterOf(error) ?? 0, bound * random());
  }
}

/** Repeats a call that is safe to repeat until it succeeds or the patience is over. */
export async function persist<T>(
  call: () => Promise<T>,
  patience: Patience & { readonly signal?: AbortSignal } = {},
): Promise<T> {
  const backoff = new Backoff(patience);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      await backoff.failed(error, patience.signal);
    }
  }
}
