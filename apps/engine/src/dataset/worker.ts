import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import { toBinary } from "@bufbuild/protobuf";
import type { DistinctValue, WorkerIo } from "@odg/expert-plugin-api";
import { DatasetProfileSchema } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { lowerThread } from "../priority.ts";
import { batchesOf, leafNamed } from "./batches.ts";
import { errorOfFault, faultOf } from "./dataset-error.ts";
import { Duck } from "./duck.ts";
import type { FromWorker, Job, JobLimits, Outcome, ToWorker } from "./job.ts";
import { NativeGate } from "./native-gate.ts";
import { prepare } from "./prepare.ts";
import { profileSource } from "./profile.ts";
import { distinctOf, type Source } from "./source.ts";

lowerThread();

/** Batches that may be on their way to the engine at once. */
const CREDIT = 2;

/** Entry of every thread of the engine's pools: does one job. */
export default async function work(job: Job): Promise<Outcome> {
  const desk = new Desk(job);
  try {
    await mkdir(join(job.limits.folder, "spill"), { recursive: true });
    return { ok: true, value: await perform(job, desk) };
  } catch (error) {
    const fault = faultOf(error);
    if (fault) return { ok: false, fault };
    throw error;
  } finally {
    await desk.close();
    job.port.close();
  }
}

/** Does nothing: the pool starts a thread for it. */
export function wake(): Outcome {
  return { ok: true, value: undefined };
}

async function perform({ work, limits }: Job, desk: Desk): Promise<unknown> {
  switch (work.kind) {
    case "prepare":
      return prepare(work.file, { ...limits, name: work.name, signal: desk.signal, gate: desk.gate });
    case "profile":
      return toBinary(DatasetProfileSchema, await profileSource(await desk.duckOf(work.source), work.source));
    case "read":
      return desk.handOver(work.source, work.options);
    case "distinct":
      return desk.distinct(work.source, work.column, work.limit);
    case "offload":
      return offload(work.module, work.input, desk);
  }
}

async function offload(module: string, input: unknown, desk: Desk): Promise<unknown> {
  const loaded: { default?: unknown } = await import(module);
  if (typeof loaded.default !== "function")
    throw new TypeError("a worker module must export a function as its default");
  return await loaded.default(input, desk.io());
}

/** What one job has at hand: its signal, its DuckDBs, and the port to the engine. */
class Desk {
  readonly #port: MessagePort;
  readonly #limits: JobLimits;
  readonly #abort = new AbortController();
  readonly #ducks = new Map<string, Promise<Duck>>();
  readonly #waiting = new Map<number, (answer: Extract<ToWorker, { type: "resolved" }>) => void>();
  readonly #sources = new Map<string, Promise<Source>>();
  #more: (() => void) | undefined;
  #credit = CREDIT;
  #ids = 0;
  readonly gate: NativeGate;

  constructor({ port, limits, gate }: Job) {
    this.#port = port;
    this.#limits = limits;
    this.gate = new NativeGate(gate);
    port.on("message", (message: ToWorker) => this.#hear(message));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  #hear(message: ToWorker): void {
    if (message.type === "resolved") {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    } else if (message.type === "more") {
      this.#credit += 1;
      this.#more?.();
    } else {
      this.#abort.abort();
      this.#more?.();
      for (const duck of this.#ducks.values()) {
        duck.then(
          (open) => open.interrupt(),
          () => undefined, // It was never opened: whoever awaits it has the error.
        );
      }
    }
  }

  /** The DuckDB that may read a source and nothing else; opened once per job. */
  duckOf(source: Source): Promise<Duck> {
    const { folder, memoryLimitMb } = this.#limits;
    let duck = this.#ducks.get(source.path);
    if (!duck) {
      duck = Duck.open({ files: [source.path], spill: join(folder, "spill"), memoryLimitMb, gate: this.gate });
      this.#ducks.set(source.path, duck);
    }
    return duck;
  }

  /**
   * Posts batches as fast as the engine takes them, and ends when it has taken the last: the end of a job travels by another port,
   * which closes this one, and would overtake what still is on its way.
   */
  async handOver(source: Source, options: { columns?: string[]; sample?: number }): Promise<void> {
    for await (const batch of batchesOf(await this.duckOf(source), source, options)) {
      await this.#creditOf(1);
      if (this.signal.aborted) return;
      this.#credit -= 1;
      this.#port.postMessage({ type: "batch", batch } satisfies FromWorker);
    }
    await this.#creditOf(CREDIT);
  }

  /** Waits until the engine has taken so many that this much credit is left, or aborts. */
  async #creditOf(wanted: number): Promise<void> {
    while (this.#credit < wanted && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
    }
  }

  async distinct(source: Source, column: string, limit: number): Promise<DistinctValue[]> {
    const leaf = leafNamed(source.leaves, column);
    return distinctOf(await this.duckOf(source), { source, leaf, limit });
  }

  io(): WorkerIo {
    const desk = this;
    return {
      signal: this.signal,
      async *read(uri, options = {}) {
        const source = await desk.#resolve(uri);
        yield* batchesOf(await desk.duckOf(source), source, options);
      },
      distinct: async (uri, column, { limit = 1000 } = {}) => desk.distinct(await desk.#resolve(uri), column, limit),
    };
  }

  /** Asks the engine, which alone knows what the run may read. */
  #resolve(uri: string): Promise<Source> {
    let source = this.#sources.get(uri);
    if (!source) {
      const id = ++this.#ids;
      source = new Promise((resolve, reject) => {
        this.#waiting.set(id, ({ source: found, fault }) =>
          found ? resolve(found) : reject(fault ? errorOfFault(fault) : new TypeError("no source and no fault")),
        );
      });
      this.#sources.set(uri, source);
      this.#port.postMessage({ type: "resolve", id, uri } satisfies FromWorker);
    }
    return source;
  }

  /** Waits for every DuckDB to stop, so that the thread may end. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#ducks.values());
    await Promise.all(opened.map((duck) => (duck.status === "fulfilled" ? duck.value.close() : undefined)));
  }
}
