import { create } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type BlobRef, TaskStartedSchema, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf } from "@odg/rpc";
import type {
  CancelTaskCommand,
  CompleteTaskCommand,
  DispatchCommand,
  ReuseCommand,
  WithdrawCommand,
} from "@odg/workflow";
import { needOf } from "../expert/router.ts";
import type { ActiveRun, EventKind } from "./active-run.ts";
import { msOf } from "./attempt-limits.ts";
import { detachOutput, readValue } from "./blobs.ts";
import type { ChildRuns } from "./child-runs.ts";
import { type Considered, consider } from "./consider.ts";
import { failpoint } from "./failpoint.ts";
import { asReject } from "./failure.ts";
import type { WeightOf } from "./fair-queue.ts";
import type { Materials } from "./inputs.ts";
import { HANDED_OVER, idempotencyKey, type Job, type JobName } from "./job.ts";
import type { Performer } from "./perform-command.ts";
import { persevere } from "./persevere.ts";
import { itemOf, itemsOutcome, type ReusedResults } from "./results.ts";
import { type Chosen, WaitingRoom } from "./waiting-room.ts";
import { type WorkerOptions, Workers } from "./workers.ts";

/** What a dispatcher works with. */
export interface DispatcherOptions extends WorkerOptions {
  /** How much a user gets beside another. */
  weightOf: WeightOf;
  children: ChildRuns;
  reused: ReusedResults;
}

type Work = Considered & { kind: "work" };

/** Gives tasks to experts: considers what they need, has them wait where all are busy, and records the outcome. */
export class Dispatcher implements Performer {
  #options: DispatcherOptions;
  #workers: Workers;
  #room: WaitingRoom;
  #jobs = new Map<string, Job>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#workers = new Workers(options);
    this.#room = new WaitingRoom({
      experts: () => options.registry.list(),
      weightOf: options.weightOf,
      begin: (job, chosen) => this.#begin(job, chosen),
      refuse: (job, { why, hint }) => this.#refuse(job, { why, hint }),
    });
    options.registry.onChange(() => this.#room.placeAll());
  }

  dispatch(run: ActiveRun, command: DispatchCommand): void {
    this.#withMaterials(run, (materials) => {
      const item = command.item > 0 ? itemOf(run, command, materials) : undefined;
      if (command.item > 0 && !item) return () => undefined;
      const considered = consider({ run, command, materials, ...(item ? { item } : {}) });
      return () => this.#act(run, command, considered);
    });
  }

  completeTask(run: ActiveRun, command: CompleteTaskCommand): void {
    this.#withMaterials(run, (materials) => {
      const outcome = itemsOutcome(run, command, materials);
      return () => {
        const blobs = outcome.case === "taskCompleted" ? detachOutput(outcome.value) : [];
        run.record(outcome, { blobs });
      };
    });
  }

  reuse(run: ActiveRun, command: ReuseCommand): void {
    const find = () => this.#options.reused.find(run, command);
    void this.#persevere(run, find).then((events) => events?.forEach((event) => void run.record(event)));
  }

  cancel(run: ActiveRun, { task, item, attempt }: CancelTaskCommand): void {
    const job = this.#jobs.get(keyOf(run, { task, item }));
    if (job) {
      this.#settle(job);
      job.stop.abort();
    } else if (attempt > 0 && run.task(task).workflow) this.#options.children.cancel({ run, task, item, attempt });
  }

  withdraw(run: ActiveRun, { task, item, attempt }: WithdrawCommand): void {
    const job = this.#jobs.get(keyOf(run, { task, item }));
    if (job?.attempt === attempt) this.#settle(job);
  }

  /** Stops everything under way of a run that this engine does not drive any more, without recording it. */
  abandon(run: ActiveRun): void {
    for (const job of [...this.#jobs.values()]) {
      if (job.run !== run) continue;
      this.#settle(job);
      job.stop.abort(HANDED_OVER);
    }
  }

  /** Stops everything under way without recording it: the journals are to be resumed by another engine. */
  stop(): void {
    for (const job of this.#jobs.values()) {
      job.patience?.();
      job.stop.abort(HANDED_OVER);
    }
    this.#jobs.clear();
    this.#room.clear();
  }

  #act(run: ActiveRun, command: DispatchCommand, considered: Considered): void {
    if (considered.kind === "work") this.#take(run, command, considered);
    else if (considered.kind === "settled") run.record(considered.event, { blobs: considered.blobs ?? [] });
    else {
      const never = command.attempt === 1 && !isUnderWay(run, command);
      this.#fail({ run, ...command, attempt: never ? 0 : command.attempt }, considered.failure);
    }
  }

  /**
   * Decides something with the values that it turns out to need, then does it. Values beside the journal are rare: mostly all of this is
   * synchronous.
   */
  #withMaterials(
    run: ActiveRun,
    decide: (materials: Materials) => () => void,
    values: ReadonlyMap<string, Value> = new Map(),
  ): void {
    const materials: Materials = { values, missing: new Map() };
    const act = decide(materials);
    if (materials.missing.size === 0) {
      act();
      return;
    }
    const read = async (ref: BlobRef): Promise<[string, Value]> => [
      ref.digest,
      await readValue(this.#options.store, ref),
    ];
    const wanted = [...materials.missing.values()];
    void this.#persevere(run, () => Promise.all(wanted.map(read))).then((more) => {
      if (more) this.#withMaterials(run, decide, new Map([...values, ...more]));
    });
  }

  #persevere<T>(run: ActiveRun, ask: () => Promise<T>): Promise<T | undefined> {
    return persevere(ask, { ...this.#options, given: () => !run.stopped });
  }

  #take(run: ActiveRun, { task: number, item, attempt, priority }: DispatchCommand, work: Work): void {
    // Called back and dispatched again while its materials were being fetched.
    if (this.#jobs.get(keyOf(run, { task: number, item }))?.attempt === attempt) return;
    const task = run.task(number);
    const state = run.projection.run().tasks[number];
    const underWay = isUnderWay(run, { task: number, item });
    // A task that was routed by capability is pinned by its first attempt.
    const pin = run.started.pins[task.id] ?? (attempt > 1 || underWay || item > 0 ? state?.expert : undefined);
    const { user, priority: runPriority } = run.started;
    const job: Job = {
      run,
      task: number,
      item,
      attempt,
      underWay,
      need: task.workflow ? undefined : needOf(task, pin?.includes("@") ? pin : undefined),
      input: work.input,
      upstream: work.upstream,
      place: { user, runId: run.runId, runPriority, priority },
      limit: work.limit,
      stop: new AbortController(),
    };
    this.#jobs.set(keyOf(run, job), job);
    const patience = msOf(task.queueTimeout);
    if (patience !== undefined && !underWay) {
      job.patience = this.#options.clock.after(patience, () => this.#giveUp(job, patience));
    }
    this.#room.add(job);
  }

  #giveUp(job: Job, waitedMs: number): void {
    if (!this.#settle(job)) return;
    this.#failEarly(job, {
      reason: Reason.DEADLINE_EXCEEDED,
      message: `no expert was free within ${waitedMs / 1000} s`,
      subject: `tasks.${job.run.task(job.task).id}.queue_timeout`,
      retryable: true,
    });
  }

  #refuse(job: Job, { why, hint }: { why: string; hint: string }): void {
    this.#settle(job);
    const subject = `tasks.${job.run.task(job.task).id}.expert`;
    this.#failEarly(job, { reason: Reason.EXPERT_UNAVAILABLE, message: why, hint, subject });
  }

  #begin(job: Job, chosen: Chosen | undefined): void {
    job.patience?.();
    job.working = true;
    if (chosen) chosen.instance.load++;
    const work = () => this.#execute(job, chosen).finally(() => this.#free(job, chosen));
    if (job.underWay) {
      void work();
      return;
    }
    const { run, task, item, attempt } = job;
    const value = create(TaskStartedSchema, {
      task,
      item,
      attempt,
      idempotencyKey: idempotencyKey(run, job),
      ...(chosen
        ? { expert: chosen.expert.id, instance: chosen.instance.id, action: chosen.action }
        : { childRunId: this.#options.children.idOf(job) }),
    });
    const then = (accepted: boolean) => {
      if (accepted && this.#jobs.get(keyOf(run, job)) === job) void work();
      else this.#free(job, chosen);
    };
    run.record({ case: "taskStarted", value }, { then });
  }

  #free(job: Job, chosen: Chosen | undefined): void {
    if (chosen) chosen.instance.load--;
    this.#settle(job);
    this.#room.leave(job);
    this.#room.placeAll();
  }

  async #execute(job: Job, chosen: Chosen | undefined): Promise<void> {
    const { run } = job;
    try {
      const completed = chosen ? await this.#workers.work(job, chosen) : await this.#options.children.work(job);
      failpoint("task.afterEffect.beforeRecord");
      const blobs = detachOutput(completed);
      if (this.#settle(job)) run.record({ case: "taskCompleted", value: completed }, { blobs });
    } catch (error) {
      if (!this.#settle(job)) return;
      const failure = failureOf(asReject(error), Reason.EXPERT_FAILED);
      this.#options.logger.warn(
        {
          runId: run.runId,
          taskId: run.task(job.task).id,
          expert: chosen?.expert.id,
          reason: Reason[failure.reason],
          err: error,
        },
        "attempt failed",
      );
      this.#fail(job, failure);
    }
  }

  /** Ends a job; false where that was done before. */
  #settle(job: Job): boolean {
    const key = keyOf(job.run, job);
    if (this.#jobs.get(key) !== job) return false;
    this.#jobs.delete(key);
    job.patience?.();
    // Who works goes on counting until the expert has let go.
    if (!job.working) this.#room.leave(job);
    return true;
  }

  /** An attempt that never began here; one that began under an engine before this one keeps its number. */
  #failEarly(
    job: Job,
    failure: { reason: Reason; message: string; subject: string; hint?: string; retryable?: boolean },
  ) {
    const never = job.attempt === 1 && !job.underWay;
    this.#fail({ ...job, attempt: never ? 0 : job.attempt }, create(FailureSchema, failure));
  }

  #fail({ run, task, item, attempt }: JobName & { run: ActiveRun; attempt: number }, failure: Failure): void {
    const event: EventKind = { case: "taskFailed", value: run.failed({ task, item, attempt, failure }) };
    run.record(event);
  }
}

/** Whether the attempt began before this engine took up the run: it is done again, and has its TaskStarted. */
function isUnderWay({ projection: { machine } }: ActiveRun, { task, item }: JobName): boolean {
  return (item > 0 ? machine.itemStatus(task, item) : machine.status(task)) === TaskStatus.RUNNING;
}

function keyOf(run: ActiveRun, { task, item }: JobName): string {
  return `${run.runId}/${task}/${item}`;
}
