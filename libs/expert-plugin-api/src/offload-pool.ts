import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { fromBinary } from "@bufbuild/protobuf";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject, stderrLogger } from "@odg/rpc";
import { Piscina } from "piscina";

/** Time that a worker has to stop by itself after an abort, before its thread is ended: a cancellation takes effect within a second. */
const GRACE_MS = 500;
/** Heap of one thread, in MB: the same as in an engine's own pool. */
const HEAP_MB = 512;

/** What a thread is given. */
export interface OffloadJob {
  /** URL of the worker module. */
  readonly module: string;
  readonly input: unknown;
  /** URL of the engine's HostService, and the token of the attempt there. */
  readonly hostUrl: string;
  readonly token: string;
  /** Any message on it means: stop. */
  readonly port: MessagePort;
}

/** What a thread answers. An error of the host travels as bytes of a Failure, since a cloned error keeps no fields of its own. */
export type OffloadOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Uint8Array };

/** The threads in which an expert outside of the engine runs its worker modules. */
export class OffloadPool {
  #woken: Promise<unknown> = Promise.resolve();
  readonly #pool: Piscina<OffloadJob | undefined, OffloadOutcome>;

  /** @param threads Threads at once; the machine's cores where absent. */
  constructor(threads = availableParallelism()) {
    this.#pool = new Piscina<OffloadJob | undefined, OffloadOutcome>({
      filename: new URL(`./offload-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 10_000,
      maxQueue: Number.POSITIVE_INFINITY,
      // Between messages a waiting thread must hear its port, which Atomics.wait would stop.
      atomics: "disabled",
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // An answer that comes while its thread is being ended belongs to no job any more.
    this.#pool.on("error", (err: unknown) => stderrLogger.info({ err }, "a thread ended out of turn"));
  }

  /**
   * Runs the default function of a worker module.
   * @throws ConnectError of the host; whatever the module throws comes as it is.
   */
  async run(call: Omit<OffloadJob, "port"> & { signal: AbortSignal }): Promise<unknown> {
    const { signal, ...work } = call;
    signal.throwIfAborted();
    const { port1: here, port2: port } = new MessageChannel();
    const kill = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let leave = () => {};
    const aborted = new Promise<never>((_, refuse) => {
      leave = () => {
        here.postMessage("stop");
        timer = setTimeout(() => kill.abort(), GRACE_MS);
        refuse(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
    });
    const job: OffloadJob = { ...work, port };
    const done = this.#pool.run(job, { transferList: [port], signal: kill.signal });
    const over = () => {
      clearTimeout(timer);
      here.close();
    };
    done.then(over, () => {
      over();
      this.#wake();
    });
    try {
      const outcome = await Promise.race([done, aborted]);
      if (!outcome.ok) throw reject(fromBinary(FailureSchema, outcome.failure));
      return outcome.value;
    } catch (error) {
      throw ofThread(error);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Where the last thread has ended, Piscina starts none for the jobs that wait, but for a further one it does. */
  #wake(): void {
    if (this.#pool.queueSize === 0 || this.#pool.threads.length > 0) return;
    // Where it fails, the pool is closing: nobody waits any more.
    this.#woken = this.#pool.run(undefined, { name: "wake" }).catch(() => undefined);
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    await this.#woken;
    await this.#pool.destroy();
  }
}

function ofThread(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException | undefined)?.code !== "ERR_WORKER_OUT_OF_MEMORY") return error;
  return reject(Reason.DATA_TOO_LARGE, {
    message: `The work needs more memory than a thread may use (${HEAP_MB} MB)`,
    hint: "Read fewer columns, or a sample.",
    cause: error,
  });
}
