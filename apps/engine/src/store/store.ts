import type { PublishedWorkflow } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import type { Event, Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";

/** Two writers appended the same place of a journal; the later one must stop driving the run. */
export class JournalConflict extends Error {
  override readonly name = "JournalConflict";
}

/** What an append makes durable, all of it or nothing. */
export interface Append {
  runId: string;
  /** In order, without gaps after what the journal holds. */
  events: Event[];
  /** The run as these events leave it; outputs of tasks are not kept in it. */
  run: Run;
  /** With the first append: the caller's idempotency key. */
  request?: { id: string; hash: string };
}

/** Which runs, newest first. */
export interface RunFilter {
  workflowId?: string;
  status?: RunStatus;
  /** Only runs older than this one. */
  before?: string;
  limit: number;
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
   * Makes events durable. A synchronous return means that they already are.
   *
   * @throws JournalConflict where another writer has taken a sequence number, or the request id.
   */
  append(append: Append): void | Promise<void>;
  /** Events after a place, in order; empty for an unknown run. */
  readEvents(runId: string, afterSeq: bigint): Promise<Event[]>;
}

/** Everything the engine keeps. One conformance list tests every backend (store.test.ts). */
export interface Store extends Journal {
  getRun(runId: string): Promise<Run | undefined>;
  /** Newest first; ids sort by time. */
  listRuns(filter: RunFilter): Promise<Run[]>;
  /**
   * Takes a run for this engine, before it appends to it; false where another living engine drives it. An engine that dies loses its
   * claims.
   */
  claim(runId: string): Promise<boolean>;
  /** Gives a run back that this engine drives no more. */
  release(runId: string): Promise<void>;
  /** Runs that have not ended, oldest first. */
  unfinishedRuns(): Promise<string[]>;
  /** The run that a request id began, and the hash of its body. */
  findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined>;
  /** Keeps a workflow; the same version again changes nothing. Answers what is kept. */
  publishWorkflow(published: PublishedWorkflow): Promise<PublishedWorkflow>;
  /** The newest version where none is named. */
  getWorkflow(workflowId: string, version?: string): Promise<PublishedWorkflow | undefined>;
  /** Newest version of each, by id. */
  listWorkflows(page: { after?: string; limit: number }): Promise<PublishedWorkflow[]>;
  /** Adds or replaces an expert; its average latency survives. Answers what is kept. */
  putExpert(expert: ExpertRecord): Promise<ExpertRecord>;
  /** By name, then version as text. */
  listExperts(): Promise<ExpertRecord[]>;
  /** Changes what varies; an unknown expert is ignored. */
  updateExpert(expertId: string, change: Partial<Pick<ExpertRecord, "averageLatencyMs" | "status">>): Promise<void>;
  close(): Promise<void>;
}
