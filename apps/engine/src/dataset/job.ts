import type { MessagePort } from "node:worker_threads";
import type { Batch, ReadOptions } from "./batches.ts";
import type { DatasetFault } from "./dataset-error.ts";
import type { RawFile, Source } from "./source.ts";

/** Folders and memory that a job may use. */
export interface JobLimits {
  /** Folder of the session: scratch files and what does not fit in memory. */
  readonly folder: string;
  /** Memory of one DuckDB instance. */
  readonly memoryLimitMb: number;
}

/** What a pool thread does. */
export type Work =
  | { readonly kind: "prepare"; readonly file: RawFile; readonly name: string }
  | { readonly kind: "profile"; readonly source: Source }
  | { readonly kind: "read"; readonly source: Source; readonly options: ReadOptions }
  | { readonly kind: "distinct"; readonly source: Source; readonly column: string; readonly limit: number }
  | { readonly kind: "offload"; readonly module: string; readonly input: unknown };

/** One call of a pool thread; the port carries {@link ToWorker} in and {@link FromWorker} out. */
export interface Job {
  readonly work: Work;
  readonly limits: JobLimits;
  readonly port: MessagePort;
  /** Memory of the job's {@link NativeGate}. */
  readonly gate: SharedArrayBuffer;
}

/** What the engine tells a thread while it works. */
export type ToWorker =
  | { readonly type: "abort" }
  | { readonly type: "more" }
  | { readonly type: "resolved"; readonly id: number; readonly source?: Source; readonly fault?: DatasetFault };

/** What a thread asks or hands over while it works. */
export type FromWorker =
  | { readonly type: "resolve"; readonly id: number; readonly uri: string }
  | { readonly type: "batch"; readonly batch: Batch };

/** How a job ended. A DatasetError travels as a fault, since a cloned error keeps no fields of its own. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: DatasetFault };
