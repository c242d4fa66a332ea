import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Piscina } from "piscina";
import { cancelled, DatasetError, errorOfFault } from "./dataset-error.ts";
import type { FromWorker, Job, JobLimits, Outcome, ToWorker, Work } from "./job.ts";
import { NativeGate } from "./native-gate.ts";

/** Time that a thread has to stop by itself after an abort, before it is ended: a cancellation takes effect within a second. */
const GRACE_MS = 500;
/** How often is looked whether a thread may be ended. */
const LOOK_MS = 100;
/** Threads that stream rows; each is held as long as its reader reads. */
const STREAM_THREADS = 8;
/** Heap of one thread, in MB; DuckDB's memory is outside of it. */
const HEAP_MB = 512;
/**
 * Room for new objects in one thread, in MB. Batches of rows are born and dropped at a rate that lets V8 grow it until it holds more
 * dead rows than the whole work needs: measured on 2,000,000 rows, 12 MB took 250 MB less and no more time.
 */
const YOUNG_MB = 12;

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
  #woken: Promise<unknown> = Promise.resolve();
  readonly #running = new Set<{ ending: Ending; settled: Promise<void> }>();
  readonly #pools: Record<"offload" | "stream" | "data", Piscina<Job | undefined, Outcome>>;

  constructor(threads = availableParallelism()) {
    const open = (maxThreads: number) =>
      new Piscina<Job | undefined, Outcome>({
        filename: new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href,
        minThreads: 0,
        maxThreads,
        idleTimeout: 10_000,
        // The queue is not the cap: the engine limits how many tasks run at once.
        maxQueue: Number.POSITIVE_INFINITY,
        // Between messages a waiting thread must hear its port, which Atomics.wait would stop.
        atomics: "disabled",
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
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
    const gate = NativeGate.buffer();
    const ending = new Ending(here, new NativeGate(gate));
    here.on("message", (message: FromWorker) => hear?.(message, (answer) => here.postMessage(answer)));
    const job: Job = { work, limits, port, gate };
    const pool = this.#poolOf(work);
    const done = pool.run(job, { transferList: [port], signal: ending.signal });
    const settled = done.then(
      () => undefined,
      () => undefined, // The error goes to the caller, below.
    );
    const tracked = { ending, settled };
    this.#running.add(tracked);
    void settled.then(() => {
      ending.over();
      this.#running.delete(tracked);
      this.#wake(pool);
    });
    try {
      const outcome = await unlessAborted(done, signal, () => ending.begin());
      if (!outcome.ok) throw errorOfFault(outcome.fault);
      return outcome.value;
    } catch (error) {
      throw ofThread(error, signal);
    }
  }

  /** Where the last thread has ended, Piscina starts none for the jobs that wait, but for a further one it does. */
  #wake(pool: Piscina<Job | undefined, Outcome>): void {
    if (pool.queueSize === 0 || pool.threads.length > 0) return;
    // Where it fails, the pool is closing: nobody waits any more.
    this.#woken = pool.run(undefined, { name: "wake" }).catch(() => undefined);
  }

  #poolOf(work: Work): Piscina<Job | undefined, Outcome> {
    if (work.kind === "offload") return this.#pools.offload;
    return work.kind === "read" ? this.#pools.stream : this.#pools.data;
  }

  /** Stops every job, then ends every thread. */
  async close(): Promise<void> {
    for (const { ending } of this.#running) ending.begin();
    await Promise.all([...this.#running].map(({ settled }) => settled));
    await this.#woken;
    await Promise.all(Object.values(this.#pools).map((pool) => pool.destroy()));
  }
}

/** How a job is stopped: it is told at once, and its thread ended after a grace, but never while DuckDB works for it. */
class Ending {
  readonly #port: MessagePort;
  readonly #gate: NativeGate;
  readonly #kill = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #begun = 0;

  constructor(port: MessagePort, gate: NativeGate) {
    this.#port = port;
    this.#gate = gate;
  }

  /** Ends the thread. */
  get signal(): AbortSignal {
    return this.#kill.signal;
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = performance.now();
    this.#gate.shut();
    this.#port.postMessage({ type: "abort" } satisfies ToWorker);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#begun > GRACE_MS && this.#gate.empty) this.#kill.abort();
    }, LOOK_MS);
  }

  over(): void {
    clearInterval(this.#timer);
    this.#port.close();
  }
}

async function unlessAborted<T>(done: Promise<T>, signal: AbortSignal | undefined, begin: () => void): Promise<T> {
  if (!signal) return done;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      begin();
      reject(cancelled(signal.reason));
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([done, aborted]).finally(() => signal.removeEventListener("abort", stop));
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
