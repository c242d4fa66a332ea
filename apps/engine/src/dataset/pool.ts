import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Piscina } from "piscina";
import { cancelled, DatasetError, errorOfFault } from "./dataset-error.ts";
import type { FromWorker, JobLimits, Outcome, ToWorker, Work } from "./job.ts";

/** Time that a thread has to stop by itself after an abort, before it is ended. */
const GRACE_MS = 1_000;
/** Threads that stream rows; each is held as long as its reader reads. */
const STREAM_THREADS = 8;
/** Heap of one thread, in MB; DuckDB's memory is outside of it. */
const HEAP_MB = 512;

/** One job, and what to do with what its thread says. */
export interface PoolCall {
  readonly work: Work;
  readonly limits: JobLimits;
  readonly signal?: AbortSignal;
  /** Called for every message of the thread; `answer` sends one back. */
  readonly hear?: (message: FromWorker, answer: (message: ToWorker) => void) => void;
}

/**
 * The threads in which data are read. Three pools, since a job of one may wait for a job of the next: an offloaded worker
 * and a stream wait for a dataset to be prepared, and preparing waits for nothing.
 */
export class Pool {
  readonly #pools: Record<"offload" | "stream" | "data", Piscina<unknown, Outcome>>;

  constructor(threads = availableParallelism()) {
    const open = (maxThreads: number) =>
      new Piscina<unknown, Outcome>({
        filename: new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href,
        minThreads: 0,
        maxThreads,
        idleTimeout: 10_000,
        // The queue is not the cap: the engine limits how many tasks run at once.
        maxQueue: Number.POSITIVE_INFINITY,
        // Between messages a waiting thread must hear its port, which Atomics.wait would stop.
        atomics: "disabled",
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      });
    this.#pools = { offload: open(threads), stream: open(STREAM_THREADS), data: open(threads) };
  }

  /**
   * Runs a job in a thread. An abort reaches the thread at once, and ends it where it does not stop within a second.
   * @throws DatasetError; whatever an offloaded module throws comes as it is.
   */
  async run({ work, limits, signal, hear }: PoolCall): Promise<unknown> {
    if (signal?.aborted) throw cancelled(signal.reason);
    const { port1: here, port2: port } = new MessageChannel();
    const kill = new AbortController();
    here.on("message", (message: FromWorker) => hear?.(message, (answer) => here.postMessage(answer)));
    const done = this.#poolOf(work).run({ work, limits, port }, { transferList: [port], signal: kill.signal });
    const stopped = stopWith(signal, here, kill);
    try {
      const outcome = await Promise.race([done, stopped.promise]);
      if (!outcome.ok) throw errorOfFault(outcome.fault);
      return outcome.value;
    } catch (error) {
      throw ofThread(error, signal);
    } finally {
      stopped.forget();
      // Whoever lost the race has no listener left.
      done.then(
        () => here.close(),
        () => here.close(),
      );
    }
  }

  #poolOf(work: Work): Piscina<unknown, Outcome> {
    if (work.kind === "offload") return this.#pools.offload;
    return work.kind === "read" ? this.#pools.stream : this.#pools.data;
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.destroy()));
  }
}

function stopWith(signal: AbortSignal | undefined, port: MessagePort, kill: AbortController) {
  let forget = () => {};
  const promise = new Promise<never>((_, reject) => {
    const stop = () => {
      port.postMessage({ type: "abort" } satisfies ToWorker);
      setTimeout(() => kill.abort(), GRACE_MS).unref();
      reject(cancelled(signal?.reason));
    };
    signal?.addEventListener("abort", stop, { once: true });
    forget = () => signal?.removeEventListener("abort", stop);
  });
  return { promise, forget };
}

function ofThread(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof DatasetError) return error;
  if (signal?.aborted) return cancelled(signal.reason);
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new DatasetError(Reason.DATA_TOO_LARGE, `The work needs more memory than a thread may use (${HEAP_MB} MB)`, {
      hint: "Read fewer columns, or a sample.",
      cause: error,
    });
  }
  return error;
}
