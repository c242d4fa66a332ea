import { equals } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ApprovalStatus, type Event, EventSchema, type Run, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { EngineLease, Lease } from "./lease.ts";
import { isOpen, type KeptRun, MemoryDatabase, type MemoryLease } from "./memory-database.ts";
import { listedApproval, withoutOutputs, withoutTasks } from "./run-row.ts";
import {
  type Append,
  type ApprovalFilter,
  type ApprovalPlace,
  type ExpertRecord,
  JournalConflict,
  LeaseLost,
  type ListedApproval,
  type RunFilter,
  type Store,
  type StoredRun,
} from "./store.ts";

/** Keeps everything in this process: for tests, benchmarks and runs whose history nobody wants. */
export class MemoryStore implements Store {
  #database: MemoryDatabase;
  #lease: MemoryLease | undefined;

  /** @param database Shared by the stores of several engines in this process; its own where absent. */
  constructor(database: MemoryDatabase = new MemoryDatabase()) {
    this.#database = database;
  }

  get versions() {
    return this.#database.versions;
  }

  get drafts() {
    return this.#database.drafts;
  }

  get schedules() {
    return this.#database.schedules;
  }

  append(append: Append): void {
    const { runId, events, run, snapshot, blobs } = append;
    const kept = this.#database.runs.get(runId);
    if (!kept) this.#begin(append);
    else {
      if (!this.#follows(kept, append)) return;
      for (const event of events) kept.events.push(event);
      kept.run = run;
      if (snapshot) kept.snapshot = snapshot;
    }
    if (blobs) for (const { digest, bytes } of blobs) this.#database.blobs.set(digest, bytes);
  }

  #begin({ runId, fence = 0n, events, run, request, snapshot }: Append): void {
    const first = events[0]?.seq;
    if (first !== undefined && first !== 1n)
      throw new JournalConflict(`run ${runId}: event ${first} does not follow 0`);
    if (request) {
      const { requestIds } = this.#database;
      if (requestIds.has(request.id)) throw new JournalConflict(`request ${request.id} began a run before`);
      requestIds.set(request.id, { runId, hash: request.hash });
    }
    this.#database.runs.set(runId, { events: [...events], run, fence, owner: this.#lease, snapshot });
  }

  /** Whether these events are new; false where they are durable already. */
  #follows(kept: KeptRun, { runId, fence = 0n, events }: Append): boolean {
    if (kept.fence !== fence) throw new LeaseLost(`run ${runId} is driven by another engine`);
    const [first, last] = [events[0], events.at(-1)];
    if (!first || !last || first.seq === BigInt(kept.events.length) + 1n) return true;
    const there = kept.events[Number(last.seq) - 1];
    if (there && Number(last.seq) === kept.events.length && equals(EventSchema, there, last)) return false;
    throw new JournalConflict(`run ${runId}: event ${first.seq} does not follow ${kept.events.length}`);
  }

  async readEvents(runId: string, afterSeq: bigint, limit = Number.POSITIVE_INFINITY): Promise<Event[]> {
    return this.#database.runs.get(runId)?.events.slice(Number(afterSeq), Number(afterSeq) + limit) ?? [];
  }

  async readRun(runId: string): Promise<StoredRun | undefined> {
    const kept = this.#database.runs.get(runId);
    if (!kept) return undefined;
    const { snapshot } = kept;
    return { ...(snapshot ? { snapshot } : {}), events: kept.events.slice(Number(snapshot?.seq ?? 0n)) };
  }

  async getBlob(digest: string): Promise<Uint8Array | undefined> {
    return this.#database.blobs.get(digest);
  }

  async getRun(runId: string): Promise<Run | undefined> {
    const kept = this.#database.runs.get(runId);
    return kept && withoutOutputs(kept.run);
  }

  async listRuns(filter: RunFilter): Promise<Run[]> {
    const byTime = filter.createdFromMs !== undefined || filter.createdBeforeMs !== undefined;
    const order = byTime ? (a: Run, b: Run) => createdMs(b) - createdMs(a) || newestId(a, b) : newestId;
    const before = filter.before ? this.#database.runs.get(filter.before)?.run : undefined;
    return [...this.#database.runs.values()]
      .map(({ run }) => run)
      .filter((run) => matches(run, filter) && (!before || order(before, run) < 0))
      .sort(order)
      .slice(0, filter.limit)
      .map(withoutTasks);
  }

  async listApprovals({ status, runId, after, limit }: ApprovalFilter): Promise<ListedApproval[]> {
    return [...this.#database.runs.values()]
      .map(({ run }) => run)
      .filter((run) => !runId || run.runId === runId)
      .flatMap(approvalsOf)
      .filter(({ approval }) => !status || approval.approval?.status === status)
      .sort((a, b) => compare(a.place, b.place))
      .filter(({ place }) => !after || compare(place, after) > 0)
      .slice(0, limit);
  }

  async findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined> {
    return this.#database.requestIds.get(requestId);
  }

  async attach({ name }: { name: string }): Promise<EngineLease> {
    this.#lease = this.#database.attach(name);
    return this.#lease;
  }

  async takeRuns(limit: number, except: readonly string[] = []): Promise<Lease[]> {
    if (!this.#lease) throw new Error("attach an engine before it takes runs");
    return this.#database.take(this.#lease, limit, except);
  }

  async giveBack({ runId, fence }: Lease): Promise<void> {
    const kept = this.#database.runs.get(runId);
    if (kept?.fence === fence) kept.owner = undefined;
  }

  async sendRequest(request: { runId: string; kind: string; body: Uint8Array }): Promise<bigint> {
    return this.#database.send(request);
  }

  async readAnswer(requestId: bigint): Promise<Uint8Array | undefined> {
    const answer = this.#database.answers.get(requestId);
    this.#database.answers.delete(requestId);
    return answer;
  }

  serving(): boolean {
    return true;
  }

  async putExpert(expert: ExpertRecord): Promise<ExpertRecord> {
    const averageLatencyMs = this.#database.experts.get(expert.expertId)?.averageLatencyMs ?? expert.averageLatencyMs;
    const kept = { ...expert, averageLatencyMs };
    this.#database.experts.set(expert.expertId, kept);
    return { ...kept };
  }

  async listExperts(): Promise<ExpertRecord[]> {
    return [...this.#database.experts.values()]
      .sort((a, b) => (a.expertName + a.version < b.expertName + b.version ? -1 : 1))
      .map((expert) => ({ ...expert }));
  }

  async updateExpert(expertId: string, change: Partial<ExpertRecord>): Promise<void> {
    const kept = this.#database.experts.get(expertId);
    if (kept) Object.assign(kept, change);
  }

  async close(): Promise<void> {}
}

function matches(run: Run, filter: RunFilter): boolean {
  const created = createdMs(run);
  return (
    (!filter.workflowId || run.workflowId === filter.workflowId) &&
    (!filter.status || run.status === filter.status) &&
    (!filter.user || run.user === filter.user) &&
    Object.entries(filter.labels ?? {}).every(([key, value]) => run.labels[key] === value) &&
    (filter.createdFromMs === undefined || created >= filter.createdFromMs) &&
    (filter.createdBeforeMs === undefined || created < filter.createdBeforeMs)
  );
}

function createdMs(run: Run): number {
  return run.createTime ? timestampMs(run.createTime) : 0;
}

function newestId(a: Run, b: Run): number {
  return a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0;
}

function approvalsOf(run: Run): ListedApproval[] {
  return run.tasks.flatMap((state, task) => {
    const listed = listedApproval(run, task);
    if (!listed) return [];
    const waits = isOpen(run.status) && state.status === TaskStatus.WAITING_APPROVAL;
    return state.approval?.status === ApprovalStatus.PENDING && !waits ? [] : [listed];
  });
}

function compare(a: ApprovalPlace, b: ApprovalPlace): number {
  return a.requestMs - b.requestMs || (a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : a.task - b.task);
}
