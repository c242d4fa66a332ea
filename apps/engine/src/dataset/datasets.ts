import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import type { DistinctValue } from "@odg/expert-plugin-api";
import {
  type Dataset,
  type DatasetProfile,
  DatasetProfileSchema,
  DatasetSchema,
  type Document,
  DocumentKind,
} from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Batch, ReadOptions } from "./batches.ts";
import { contractBeside, dataFilesBeside, datasetName, documentsBeside } from "./beside.ts";
import { cancelled, DatasetError, faultOf } from "./dataset-error.ts";
import { sniffFormat } from "./format.ts";
import type { FromWorker, JobLimits, ToWorker } from "./job.ts";
import { moduleInside } from "./module-inside.ts";
import { allowFile, type PathPolicy } from "./path-policy.ts";
import { Pool } from "./pool.ts";
import type { RawFile, Source } from "./source.ts";
import { streamOf } from "./stream.ts";

export type { Batch, ReadOptions } from "./batches.ts";
export { DatasetError } from "./dataset-error.ts";

/** Where data may lie, and what reading them may take. */
export interface DatasetsOptions {
  /** Folders under which data may be opened, links resolved. */
  readonly roots: readonly string[];
  /** Threads for experts' workers, and again for profiling; default: the machine's cores. */
  readonly poolThreads?: number;
  /** Memory of one DuckDB instance, in MB; beyond it DuckDB spills to disk. Default 256. */
  readonly memoryLimitMb?: number;
  readonly logger?: { warn(details: object, message: string): void };
}

/** What an offloaded worker gets beside its input. */
export interface OffloadOptions {
  /** Folder of the expert's package: the module must lie in it, links resolved. */
  readonly packageRoot: string;
  /** Whether the module may read datasets; yes where absent. */
  readonly mayRead?: boolean;
  readonly signal?: AbortSignal;
}

/** The datasets of one run. Every method throws DatasetError. */
export interface DatasetSession {
  /** Opens a dataset; the same uri gives the same handle. Reads the first and last bytes only. */
  open(uri: string): Promise<Dataset>;
  /** Statistics of every leaf column; computed once per session. `signal` ends the wait, and the work once nobody waits. */
  profile(uri: string, signal?: AbortSignal): Promise<DatasetProfile>;
  /** Texts beside a dataset, in the order of their names. */
  documents(uri: string, kind?: DocumentKind): Promise<Document[]>;
  /** Other datasets in the same folder, in the order of their names. */
  siblings(uri: string): Promise<Dataset[]>;
  /** Rows in batches; leaving the loop early ends the reading. */
  read(uri: string, options?: ReadOptions, signal?: AbortSignal): AsyncIterable<Batch>;
  /** Distinct values of a column other than NULL, most frequent first, ties by value. */
  distinct(uri: string, column: string, options?: { limit?: number; signal?: AbortSignal }): Promise<DistinctValue[]>;
  /** Runs a worker module's default function `(input, io)` in the pool. Its own errors come as they are. */
  offload(module: string, input: unknown, options: OffloadOptions): Promise<unknown>;
  /** Stops what runs and removes the session's files. */
  close(): Promise<void>;
}

/** Opens datasets under configured roots and reads them in worker threads; one per engine. */
export class Datasets {
  readonly #options: DatasetsOptions;
  readonly #pool: Pool;
  readonly #sessions = new Set<Session>();

  constructor(options: DatasetsOptions) {
    this.#options = options;
    this.#pool = new Pool(options.poolThreads);
  }

  /** The datasets of a run; `allowedPaths` are files that a person named, allowed by that with what lies beside them. */
  session(options: { allowedPaths?: string[] } = {}): DatasetSession {
    const session = new Session({
      pool: this.#pool,
      policy: { roots: this.#options.roots, allowedPaths: options.allowedPaths ?? [] },
      memoryLimitMb: this.#options.memoryLimitMb ?? 256,
      logger: this.#options.logger,
      forget: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  /** Closes every session and ends every thread. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#pool.close();
  }
}

interface Opened {
  readonly dataset: Dataset;
  readonly file: RawFile;
}

interface SessionOptions {
  readonly pool: Pool;
  readonly policy: PathPolicy;
  readonly memoryLimitMb: number;
  readonly logger?: DatasetsOptions["logger"];
  readonly forget: () => void;
}

class Session implements DatasetSession {
  readonly #options: SessionOptions;
  readonly #closing = new AbortController();
  readonly #opened = new Map<string, Promise<Opened>>();
  readonly #sources = new Map<string, Promise<Source>>();
  readonly #profiles = new Map<string, Promise<DatasetProfile>>();
  #folder: Promise<string> | undefined;
  #prepared = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async open(uri: string): Promise<Dataset> {
    return (await this.#openFile(uri)).dataset;
  }

  async profile(uri: string, signal?: AbortSignal): Promise<DatasetProfile> {
    return orAbort(
      once(this.#profiles, uri, () => this.#computeProfile(uri)),
      signal,
    );
  }

  async documents(uri: string, kind = DocumentKind.UNSPECIFIED): Promise<Document[]> {
    return documentsBeside((await this.#openFile(uri)).file.path, kind);
  }

  async siblings(uri: string): Promise<Dataset[]> {
    const { file } = await this.#openFile(uri);
    const names = await dataFilesBeside(file.path);
    const opened = await Promise.all(names.map((name) => this.#openSibling(join(dirname(uri), name))));
    return opened.filter((dataset) => dataset !== undefined);
  }

  async *read(uri: string, options: ReadOptions = {}, signal?: AbortSignal): AsyncGenerator<Batch> {
    const source = await orAbort(this.#source(uri), signal);
    const limits = await this.#limits();
    const stop = new AbortController();
    const signals = [stop.signal, this.#closing.signal, ...(signal ? [signal] : [])];
    try {
      yield* streamOf((hear) =>
        this.#options.pool.run({
          work: { kind: "read", source, options },
          limits,
          signal: AbortSignal.any(signals),
          hear,
        }),
      );
    } finally {
      stop.abort();
    }
  }

  async distinct(
    uri: string,
    column: string,
    { limit = 1000, signal }: { limit?: number; signal?: AbortSignal } = {},
  ): Promise<DistinctValue[]> {
    const source = await orAbort(this.#source(uri), signal);
    const values = await this.#options.pool.run({
      work: { kind: "distinct", source, column, limit },
      limits: await this.#limits(),
      signal: signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal,
    });
    return values as DistinctValue[];
  }

  async offload(module: string, input: unknown, options: OffloadOptions): Promise<unknown> {
    const { packageRoot, mayRead = true, signal } = options;
    const url = await moduleInside(module, packageRoot);
    return this.#options.pool.run({
      work: { kind: "offload", module: url, input },
      limits: await this.#limits(),
      signal: signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal,
      hear: (message, answer) => {
        if (message.type !== "resolve") return;
        if (mayRead) void this.#answer(message, answer);
        else answer({ type: "resolved", id: message.id, fault: faultOf(notAsked()) });
      },
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#options.forget();
    await Promise.allSettled([...this.#sources.values(), ...this.#profiles.values()]);
    const folder = await this.#folder;
    // A thread that is being ended may still write a file or two.
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #openFile(uri: string): Promise<Opened> {
    return once(this.#opened, uri, async () => {
      const { path, stats } = await allowFile(uri, this.#options.policy);
      const sniffed = await sniffFormat(path, stats.size);
      const contract = await contractBeside(path);
      const dataset = create(DatasetSchema, {
        uri,
        name: datasetName(path),
        format: sniffed.format,
        sizeBytes: BigInt(stats.size),
        fileCount: 1n,
        contract: contract?.content,
        contractSource: contract?.source ?? "",
      });
      return { dataset, file: { path, ...sniffed } };
    });
  }

  /** A file beside that no reader knows is no dataset. */
  async #openSibling(uri: string): Promise<Dataset | undefined> {
    try {
      return await this.open(uri);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      this.#options.logger?.warn(
        { file: basename(uri), reason: error.reason },
        "A file beside the dataset was left out",
      );
      return undefined;
    }
  }

  #source(uri: string): Promise<Source> {
    return once(this.#sources, uri, async () => {
      const { file } = await this.#openFile(uri);
      const value = await this.#options.pool.run({
        work: { kind: "prepare", file, name: `dataset-${++this.#prepared}` },
        limits: await this.#limits(),
        signal: this.#closing.signal,
      });
      return value as Source;
    });
  }

  async #computeProfile(uri: string): Promise<DatasetProfile> {
    const start = performance.now();
    const { dataset } = await this.#openFile(uri);
    const source = await this.#source(uri);
    const bytes = await this.#options.pool.run({
      work: { kind: "profile", source },
      limits: await this.#limits(),
      signal: this.#closing.signal,
    });
    const profile = fromBinary(DatasetProfileSchema, bytes as Uint8Array);
    profile.dataset = dataset;
    profile.durationMs = performance.now() - start;
    return profile;
  }

  async #answer(
    { id, uri }: Extract<FromWorker, { type: "resolve" }>,
    answer: (message: ToWorker) => void,
  ): Promise<void> {
    try {
      answer({ type: "resolved", id, source: await this.#source(uri) });
    } catch (error) {
      const fault = faultOf(error);
      this.#options.logger?.warn({ reason: fault?.reason }, "A worker's dataset could not be opened");
      answer({ type: "resolved", id, fault: fault ?? faultOf(cancelled(error)) });
    }
  }

  async #limits(): Promise<JobLimits> {
    if (this.#closing.signal.aborted) throw cancelled();
    this.#folder ??= mkdtemp(join(tmpdir(), "odg-data-"));
    return { folder: await this.#folder, memoryLimitMb: this.#options.memoryLimitMb };
  }
}

function notAsked(): DatasetError {
  const message = `the expert's package does not ask for "datasets": "read"`;
  return new DatasetError(Reason.POLICY_DENIED, message, { subject: "odg.permissions" });
}

/** One computation per key, whatever it comes to: a broken file is not read twice in a session. */
function once<T>(cache: Map<string, Promise<T>>, key: string, compute: () => Promise<T>): Promise<T> {
  let value = cache.get(key);
  if (!value) {
    value = compute();
    // The failure reaches whoever awaits; with nobody left to, it must not end the process.
    value.catch(() => undefined);
    cache.set(key, value);
  }
  return value;
}

async function orAbort<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return value;
  if (signal.aborted) throw cancelled(signal.reason);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([value, aborted]).finally(() => signal.removeEventListener("abort", stop));
}
