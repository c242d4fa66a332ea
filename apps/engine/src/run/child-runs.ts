import { clone, create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { FindingSchema } from "@odg/proto/odg/expert/v1/finding_pb";
import {
  ParentTaskSchema,
  type Run,
  RunStatus,
  type TaskCompleted,
  TaskCompletedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { v5 as uuidv5 } from "uuid";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import type { Workflows } from "../workflows.ts";
import type { ActiveRun } from "./active-run.ts";
import type { Application } from "./admission.ts";
import { AttemptLimits } from "./attempt-limits.ts";
import { readValue } from "./blobs.ts";
import { HANDED_OVER, type Job, type JobName } from "./job.ts";
import { eventsOf, loadRun } from "./load-run.ts";
import { persevere } from "./persevere.ts";

/** Runs below runs, at most: a workflow that runs itself ends here. */
export const MAX_DEPTH = 8;

/** What child runs need of the runs of this engine. */
export interface ChildHost {
  /** Starts a run under that id; where it was started before, nothing. */
  startChild(runId: string, application: Application): Promise<void>;
  /** Resolves with the run once it has ended, here or on another engine. */
  ended(runId: string, signal: AbortSignal): Promise<Run>;
  /** One that has ended stays as it is. */
  cancelChild(runId: string, reason: string): Promise<void>;
}

/** What child runs are made with. */
export interface ChildRunsOptions {
  host: ChildHost;
  store: Store;
  workflows: Workflows;
  clock: Clock;
  logger: Logger;
}

/** Works on tasks that name a workflow: each attempt is a run of its own, found again by its id after a restart. */
export class ChildRuns {
  #options: ChildRunsOptions;

  constructor(options: ChildRunsOptions) {
    this.#options = options;
  }

  /** The id of an attempt's run. */
  idOf({ run, task, item, attempt }: JobName & { run: ActiveRun; attempt: number }): string {
    return uuidv5(`${task}/${item}/${attempt}`, run.runId);
  }

  /** @throws ConnectError with CHILD_RUN_FAILED, DEADLINE_EXCEEDED, or what refuses the run */
  async work(job: Job): Promise<TaskCompleted> {
    const { run, stop } = job;
    const { host } = this.#options;
    const childId = this.idOf(job);
    const limits = new AttemptLimits({ task: run.task(job.task), stop });
    const { signal } = stop;
    try {
      await host.startChild(childId, await this.#applicationOf(job));
      const ended = await host.ended(childId, signal);
      return await this.#completed(job, ended);
    } catch (error) {
      if (signal.aborted && signal.reason !== HANDED_OVER) this.#cancel(childId, job.run);
      throw limits.error(`run ${childId}`, error) ?? error;
    } finally {
      limits.close();
    }
  }

  /** Cancels the run of an attempt that nobody waits for here: its parent was taken up only to be cancelled. */
  cancel(job: JobName & { run: ActiveRun; attempt: number }): void {
    this.#cancel(this.idOf(job), job.run);
  }

  #cancel(childId: string, { runId }: ActiveRun): void {
    const ask = () =>
      this.#options.host.cancelChild(childId, `run ${runId}, which it worked for, does not wait for it`);
    let tries = 0;
    void persevere(ask, { ...this.#options, given: () => tries++ < 10 });
  }

  async #applicationOf({ run, task: number, item, attempt, input }: Job): Promise<Application> {
    const task = run.task(number);
    const depth = await this.#depthOf(run);
    if (depth >= MAX_DEPTH) {
      throw reject(Reason.DAG_TOO_LARGE, {
        message: `workflows run workflows at most ${MAX_DEPTH} deep`,
        subject: `tasks.${task.id}.workflow`,
        retryable: false,
      });
    }
    const { user, priority, labels, workflowPins } = run.started;
    const { workflow } = await this.#options.workflows.get(task.workflow, workflowPins[task.id]);
    const parent = create(ParentTaskSchema, { runId: run.runId, task: number, item, attempt });
    return { workflow, inputs: input, labels, user, priority, parent };
  }

  async #depthOf(run: ActiveRun): Promise<number> {
    let depth = 1;
    for (let above = run.started.parent; above && depth < MAX_DEPTH; depth++) {
      above = (await this.#options.store.getRun(above.runId))?.parent;
    }
    return depth;
  }

  async #completed({ run: parent, task: number, item, attempt }: Job, child: Run): Promise<TaskCompleted> {
    const { id } = parent.task(number);
    const { store } = this.#options;
    if (child.status !== RunStatus.SUCCEEDED) {
      throw reject(Reason.CHILD_RUN_FAILED, {
        message: `run ${child.runId} of ${child.workflowId} ${child.status === RunStatus.CANCELLED ? "was cancelled" : "failed"}${child.failure ? `: ${child.failure.message}` : ""}`,
        subject: child.runId,
      });
    }
    const { started, projection } = await loadRun(store, child.runId);
    const before = new Set(started.workflow?.tasks.flatMap(({ dependsOn }) => dependsOn));
    const output: JsonObject = {};
    for (const task of projection.run().tasks) {
      if (before.has(task.taskId)) continue;
      const value = task.outputBlob ? await readValue(store, task.outputBlob) : task.output;
      if (value) output[task.taskId] = toJson(ValueSchema, value);
    }
    const completed = create(TaskCompletedSchema, {
      task: number,
      item,
      attempt,
      output: fromJson(ValueSchema, output),
    });
    for await (const { kind } of eventsOf(store, child.runId)) {
      if (kind.case !== "taskCompleted") continue;
      for (const finding of kind.value.findings) {
        const copy = clone(FindingSchema, finding);
        copy.id = `${id}${item > 0 ? `[${item}]` : ""}/${finding.id}`;
        completed.findings.push(copy);
      }
    }
    const { length } = projection.run().tasks;
    completed.summary = `${child.workflowId}: ${length} ${length === 1 ? "task" : "tasks"}, ${completed.findings.length} findings`;
    return completed;
  }
}
