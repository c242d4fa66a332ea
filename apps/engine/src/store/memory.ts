import { clone } from "@bufbuild/protobuf";
import { type PublishedWorkflow, PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Event, type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { withoutOutputs } from "./run-row.ts";
import { type Append, type ExpertRecord, JournalConflict, type RunFilter, type Store } from "./store.ts";

interface KeptRun {
  events: Event[];
  run: Run;
}

/** Keeps everything in this process: for tests, benchmarks and runs whose history nobody wants. */
export class MemoryStore implements Store {
  #runs = new Map<string, KeptRun>();
  #requests = new Map<string, { runId: string; hash: string }>();
  #workflows = new Map<string, PublishedWorkflow[]>();
  #experts = new Map<string, ExpertRecord>();

  append({ runId, events, run, request }: Append): void {
    const kept = this.#runs.get(runId);
    const last = BigInt(kept?.events.length ?? 0);
    if (events[0] && events[0].seq !== last + 1n) {
      throw new JournalConflict(`run ${runId}: event ${events[0].seq} does not follow ${last}`);
    }
    if (request) {
      if (this.#requests.has(request.id)) throw new JournalConflict(`request ${request.id} began a run before`);
      this.#requests.set(request.id, { runId, hash: request.hash });
    }
    if (!kept) {
      this.#runs.set(runId, { events: [...events], run });
      return;
    }
    for (const event of events) kept.events.push(event);
    kept.run = run;
  }

  async readEvents(runId: string, afterSeq: bigint): Promise<Event[]> {
    return this.#runs.get(runId)?.events.slice(Number(afterSeq)) ?? [];
  }

  async getRun(runId: string): Promise<Run | undefined> {
    const kept = this.#runs.get(runId);
    return kept && withoutOutputs(kept.run);
  }

  async listRuns({ workflowId, status, before, limit }: RunFilter): Promise<Run[]> {
    return [...this.#runs.values()]
      .map(({ run }) => run)
      .filter((run) => !workflowId || run.workflowId === workflowId)
      .filter((run) => !status || run.status === status)
      .filter((run) => !before || run.runId < before)
      .sort((a, b) => (a.runId < b.runId ? 1 : -1))
      .slice(0, limit)
      .map(withoutOutputs);
  }

  async unfinishedRuns(): Promise<string[]> {
    return [...this.#runs.values()]
      .filter(({ run }) => run.status === RunStatus.RUNNING)
      .map(({ run }) => run.runId)
      .sort();
  }

  async findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined> {
    return this.#requests.get(requestId);
  }

  async publishWorkflow(published: PublishedWorkflow): Promise<PublishedWorkflow> {
    const id = published.workflow?.workflowId ?? "";
    const versions = this.#workflows.get(id) ?? [];
    const same = versions.find(({ version }) => version === published.version);
    if (same) return clone(PublishedWorkflowSchema, same);
    this.#workflows.set(id, [...versions, clone(PublishedWorkflowSchema, published)]);
    return published;
  }

  async getWorkflow(workflowId: string, version?: string): Promise<PublishedWorkflow | undefined> {
    const versions = this.#workflows.get(workflowId) ?? [];
    const found = version ? versions.find((one) => one.version === version) : versions.at(-1);
    return found && clone(PublishedWorkflowSchema, found);
  }

  async listWorkflows({ after = "", limit }: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    return [...this.#workflows]
      .filter(([id]) => id > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .flatMap(([, versions]) => versions.slice(-1))
      .map((one) => clone(PublishedWorkflowSchema, one));
  }

  async putExpert(expert: ExpertRecord): Promise<ExpertRecord> {
    const averageLatencyMs = this.#experts.get(expert.expertId)?.averageLatencyMs ?? expert.averageLatencyMs;
    const kept = { ...expert, averageLatencyMs };
    this.#experts.set(expert.expertId, kept);
    return { ...kept };
  }

  async listExperts(): Promise<ExpertRecord[]> {
    return [...this.#experts.values()]
      .sort((a, b) => (a.expertName + a.version < b.expertName + b.version ? -1 : 1))
      .map((expert) => ({ ...expert }));
  }

  async updateExpert(expertId: string, change: Partial<ExpertRecord>): Promise<void> {
    const kept = this.#experts.get(expertId);
    if (kept) Object.assign(kept, change);
  }

  async claim(): Promise<boolean> {
    return true;
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {}
}
