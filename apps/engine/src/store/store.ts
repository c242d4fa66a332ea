import type { PendingApproval } from "@odg/proto/odg/engine/v1/run_service_pb";
import type { ApprovalStatus, Event, Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { DraftStore } from "./drafts.ts";
import type { EngineLease, Lease } from "./lease.ts";
import type { ScheduleStore } from "./schedules.ts";
import type { VersionStore } from "./versions.ts";

/** An append came too late: its place in the journal, or its request id, is taken. */
export class JournalConflict extends Error {
  override readonly name: string = "JournalConflict";
}

/** Another engine drives the run now: whoever appended must stop driving it. */
export class LeaseLost extends JournalConflict {
  override readonly name = "LeaseLost";
}

/** A value kept beside the journal, by what it is. */
export interface Blob {
  /** SHA-256 of the bytes, hexadecimal: as in BlobRef. */
  digest: string;
  bytes: Uint8Array;
}

/** All that a run's events up to a place come to, as whoever writes it encodes it. */
export interface StoredSnapshot {
  /** The last event that is in it. */
  seq: bigint;
  bytes: Uint8Array;
}

/** What an append makes durable, all of it or nothing. */
export interface Append {
  runId: string;
  /**
   * Of the lease under which the run is driven: for its first append the engine's, after that the run's. 0 where no engine is
   * attached to the store.
   */
  fence?: bigint;
  /** In order, without gaps after what the journal holds. */
  events: Event[];
  /** The run as these events leave it; outputs of tasks are not kept in it. */
  run: Run;
  /** Numbers of the tasks whose state these events changed; every task where absent. */
  changed?: readonly number[];
  /** With the first append: the caller's idempotency key. */
  request?: { id: string; hash: string };
  /** Takes the place of an older one. */
  snapshot?: StoredSnapshot;
  /** What the events refer to. One that is kept already changes nothing. */
  blobs?: readonly Blob[];
}

/** A run's journal, from where replaying it begins. */
export interface StoredRun {
  snapshot?: StoredSnapshot;
  /** After the snapshot, in order. */
  events: Event[];
}

/** Which runs, newest first. */
export interface RunFilter {
  workflowId?: string;
  status?: RunStatus;
  user?: string;
  /** Runs that have all of these. */
  labels?: Record<string, string>;
  /** Created at this time or later, in milliseconds of the epoch. */
  createdFromMs?: number;
  /** Created before this time, in milliseconds of the epoch. */
  createdBeforeMs?: number;
  /** Only runs older than this one. */
  before?: string;
  limit: number;
}

/** The place of a consent in a list: by the time of the request, run and task. */
export interface ApprovalPlace {
  requestMs: number;
  runId: string;
  /** The task's number in the workflow. */
  task: number;
}

/** Which consents, oldest first. What nobody waits for any more, since the run or the task has ended, is not pending. */
export interface ApprovalFilter {
  status?: ApprovalStatus;
  runId?: string;
  /** Only what comes after this place. */
  after?: ApprovalPlace;
  limit: number;
}

/** A consent in a list. */
export interface ListedApproval {
  place: ApprovalPlace;
  approval: PendingApproval;
}

/** An expert as the registry knows it: the fields of the decision record. */
export interface ExpertRecord {
  /** `SchemaExpert@1.0.0`. */
  expertId: string;
  expertName: string;
  version: string;
  capabilities: string[];
  modelBackend: string;
  maxConcurrentTasks: number;
  /** Exponentially weighted, alpha 0.2. */
  averageLatencyMs: number;
  status: "available" | "busy" | "offline";
  placement: "module" | "process" | "remote";
  packageName: string;
  /** What it was granted, as JSON; empty where that is not known. */
  permissions: string;
  /** Hash of its package's files; empty where they may change, as in a folder that somebody works in. */
  digest: string;
  /** Trusted publisher whose signature its package carries; empty where there is none. */
  publisher: string;
  /**
   * Of a package that asks for more than before, kept as `package@version`: whether it waits for an approval or has it. Empty for what
   * was taken in.
   */
  approval: "" | "pending" | "approved";
}

/** Events of the runs, in order, for ever. */
export interface Journal {
  /**
   * Makes events durable. A synchronous return means that they already are. Appending again what is durable already, because the first
   * answer was lost, changes nothing and succeeds.
   *
   * @throws JournalConflict where another writer has taken a sequence number, or the request id; LeaseLost where another engine drives
   * the run; StoreUnavailable, StoreFull
   */
  append(append: Append): void | Promise<void>;
  /** Events after a place, in order, not more than `limit`; empty for an unknown run. */
  readEvents(runId: string, afterSeq: bigint, limit?: number): Promise<Event[]>;
}

/** Who drives which run, among the engines of one store. */
export interface Leases {
  /**
   * Registers this engine under its name. Whoever had the name before is a former self: its runs may be taken at once. One engine at
   * a time attaches to a store that is open.
   */
  attach(options: { name: string }): Promise<EngineLease>;
  /**
   * Takes runs that have not ended and that no living engine drives, oldest first: those of a former self of this engine, those whose engine
   * did not renew its lease, and those that this engine failed to begin without knowing whether they were kept. Those of `except` are
   * left to others.
   */
  takeRuns(limit: number, except?: readonly string[]): Promise<Lease[]>;
  /** Leaves a run that this engine took to whoever takes it next, this engine included. */
  giveBack(lease: Lease): Promise<void>;
  /** Asks the engine that drives a run for something; it hears of it within a second. Answers the request's id. */
  sendRequest(request: { runId: string; kind: string; body: Uint8Array }): Promise<bigint>;
  /** What the driving engine answered; nothing before that. An answer is read once. */
  readAnswer(requestId: bigint): Promise<Uint8Array | undefined>;
}

/** Everything the engine keeps. One conformance list tests every backend (store.test.ts). */
export interface Store extends Journal, Leases {
  readonly versions: VersionStore;
  readonly drafts: DraftStore;
  readonly schedules: ScheduleStore;
  /** The newest snapshot of a run and what came after it; nothing for an unknown run. */
  readRun(runId: string): Promise<StoredRun | undefined>;
  getBlob(digest: string): Promise<Uint8Array | undefined>;
  /** As of its newest event, without the outputs of its tasks. */
  getRun(runId: string): Promise<Run | undefined>;
  /** Newest first; ids sort by time. Without their tasks. */
  listRuns(filter: RunFilter): Promise<Run[]>;
  /** Oldest first. */
  listApprovals(filter: ApprovalFilter): Promise<ListedApproval[]>;
  /** The run that a request id began, and the hash of its body. */
  findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined>;
  /** Whether it answers as it should: false means that new calls had better go elsewhere. */
  serving(): boolean;
  /** Adds or replaces an expert; its average latency survives. Answers what is kept. */
  putExpert(expert: ExpertRecord): Promise<ExpertRecord>;
  /** By name, then version as text. */
  listExperts(): Promise<ExpertRecord[]>;
  /** Changes what varies; an unknown expert is ignored. */
  updateExpert(expertId: string, change: Partial<Pick<ExpertRecord, "averageLatencyMs" | "status">>): Promise<void>;
  close(): Promise<void>;
}
