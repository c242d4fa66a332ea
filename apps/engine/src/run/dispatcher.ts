import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ExecuteRequestSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { SkipCause, TaskSkippedSchema, TaskStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf } from "@odg/rpc";
import { type CancelTaskCommand, type DispatchCommand, evaluateWhen } from "@odg/workflow";
import type { Clock } from "../clock.ts";
import type { DatasetSession } from "../dataset/datasets.ts";
import type { HostGate } from "../expert/host-service.ts";
import type { ExpertInstance, ExpertRegistry, RegisteredExpert } from "../expert/registry.ts";
import { type Need, needOf, route } from "../expert/router.ts";
import type { Logger } from "../logger.ts";
import type { ActiveRun, Performer } from "./active-run.ts";
import { perform } from "./attempt.ts";
import { asReject } from "./failure.ts";
import { argumentsOf, scopeOf } from "./inputs.ts";

/** What a dispatcher works with. */
export interface DispatcherOptions {
  registry: ExpertRegistry;
  host: HostGate;
  clock: Clock;
  logger: Logger;
  /** The datasets of a run, and the addresses that its reports may show. */
  surroundings(run: ActiveRun): { datasets: DatasetSession; allowed: () => ReadonlySet<string> };
}

/** A dispatched attempt that waits for a free expert, or is under way. */
interface Job {
  run: ActiveRun;
  task: number;
  attempt: number;
  priority: number;
  need: Need;
  input: JsonObject;
  stop: AbortController;
}

/** Gives tasks to experts: evaluates what they need, asks the router, waits where all are busy, and records the outcome. */
export class Dispatcher implements Performer {
  #options: DispatcherOptions;
  /** Waiting jobs by what they need, highest priority first. */
  #waiting = new Map<string, Job[]>();
  #jobs = new Map<string, Job>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    options.registry.onChange(() => this.#placeWaiting());
  }

  dispatch(run: ActiveRun, { task, attempt, priority }: DispatchCommand): void {
    const scope = scopeOf(run);
    const when = evaluateWhen(run.task(task), scope);
    if (when.failure) {
      this.#fail({ run, task, attempt: 0 }, when.failure);
      return;
    }
    if (!when.value) {
      const skipped = create(TaskSkippedSchema, { task, cause: SkipCause.CONDITION });
      run.record({ case: "taskSkipped", value: skipped });
      return;
    }
    const input = argumentsOf(run, task, scope);
    if (input.failure) {
      this.#fail({ run, task, attempt: 0 }, input.failure);
      return;
    }
    const { id } = run.task(task);
    // A task that was routed by capability is pinned by its first attempt.
    const pin = run.started.pins[id] ?? (attempt > 1 ? run.projection.run().tasks[task]?.expert : undefined);
    const need = needOf(run.task(task), pin);
    const job: Job = { run, task, attempt, priority, need, input: input.value, stop: new AbortController() };
    this.#jobs.set(keyOf(run, task), job);
    if (!this.#place(job)) this.#wait(job);
  }

  cancel(run: ActiveRun, { task }: CancelTaskCommand): void {
    const job = this.#jobs.get(keyOf(run, task));
    if (!job) return;
    this.#jobs.delete(keyOf(run, task));
    job.stop.abort();
    const line = this.#waiting.get(needKey(job.need));
    const place = line?.indexOf(job) ?? -1;
    if (place >= 0) line?.splice(place, 1);
  }

  /** Stops everything under way without recording it: the journals are to be resumed by another engine. */
  stop(): void {
    for (const job of this.#jobs.values()) job.stop.abort();
    this.#jobs.clear();
    this.#waiting.clear();
  }

  /** False where every suitable expert is busy. */
  #place(job: Job): boolean {
    const decision = route(job.need, this.#options.registry.list());
    if (decision.kind === "busy") return false;
    if (decision.kind === "none") {
      const failure = create(FailureSchema, {
        reason: Reason.EXPERT_UNAVAILABLE,
        message: decision.why,
        hint: decision.hint,
        subject: `tasks.${job.run.task(job.task).id}.expert`,
      });
      this.#settle(job);
      this.#fail({ ...job, attempt: job.attempt === 1 ? 0 : job.attempt }, failure);
      return true;
    }
    this.#start(job, decision);
    return true;
  }

  #wait(job: Job): void {
    const key = needKey(job.need);
    const line = this.#waiting.get(key) ?? [];
    this.#waiting.set(key, line);
    const place = line.findIndex(({ priority }) => priority < job.priority);
    line.splice(place === -1 ? line.length : place, 0, job);
  }

  #placeWaiting(): void {
    for (const [key, line] of this.#waiting) {
      while (line[0] && this.#place(line[0])) line.shift();
      if (line.length === 0) this.#waiting.delete(key);
    }
  }

  #start(
    job: Job,
    { expert, instance, action }: { expert: RegisteredExpert; instance: ExpertInstance; action: string },
  ): void {
    const { run, task, attempt } = job;
    instance.load++;
    const started = create(TaskStartedSchema, {
      task,
      attempt,
      expert: expert.id,
      instance: instance.id,
      action,
      idempotencyKey: `${run.runId}/${run.task(task).id}/1`,
    });
    run.record({ case: "taskStarted", value: started }, () => {
      void this.#execute(job, { expert, instance, action }).finally(() => {
        instance.load--;
        this.#placeWaiting();
      });
    });
  }

  async #execute(
    job: Job,
    { expert, instance, action }: { expert: RegisteredExpert; instance: ExpertInstance; action: string },
  ) {
    const { run, task, attempt, input, stop } = job;
    const { host, clock, registry, logger } = this.#options;
    const { datasets, allowed } = this.#options.surroundings(run);
    const { permissions } = expert;
    const hostToken = host.grant({
      run,
      datasets,
      packageRoot: instance.packageRoot,
      permissions,
      signal: stop.signal,
    });
    const { id } = run.task(task);
    const request = create(ExecuteRequestSchema, {
      runId: run.runId,
      taskId: id,
      attempt,
      idempotencyKey: `${run.runId}/${id}/1`,
      action,
      input,
      upstream: upstreamOf(run, task),
      hostToken,
    });
    const began = clock.now();
    try {
      const completed = await perform({ run, task, instance, request, signal: stop.signal, allowed, permissions });
      if (this.#settle(job)) run.record({ case: "taskCompleted", value: completed });
      registry
        .recordLatency(expert, clock.now() - began)
        .catch((err: unknown) => logger.warn({ expert: expert.id, err }, "the mean latency was not stored"));
    } catch (error) {
      if (!this.#settle(job)) return;
      const failure = failureOf(asReject(error), Reason.EXPERT_FAILED);
      logger.warn(
        { runId: run.runId, taskId: id, expert: expert.id, reason: Reason[failure.reason], err: error },
        "attempt failed",
      );
      this.#fail(job, failure);
    } finally {
      host.revoke(hostToken);
    }
  }

  /** Ends a job; false where it was cancelled before. */
  #settle(job: Job): boolean {
    const key = keyOf(job.run, job.task);
    if (this.#jobs.get(key) !== job) return false;
    return this.#jobs.delete(key);
  }

  #fail({ run, task, attempt }: { run: ActiveRun; task: number; attempt: number }, failure: Failure): void {
    run.record({ case: "taskFailed", value: run.failed({ task, attempt, failure }) });
  }
}

/** Outputs of the direct predecessors. */
function upstreamOf(run: ActiveRun, task: number): Record<string, Value> {
  const { tasks } = run.projection.run();
  return Object.fromEntries(
    run.task(task).dependsOn.flatMap((id) => {
      const output = tasks[run.numberOf(id) ?? -1]?.output;
      return output ? [[id, output]] : [];
    }),
  );
}

function keyOf(run: ActiveRun, task: number): string {
  return `${run.runId}/${task}`;
}

function needKey({ expert, action, version }: Need): string {
  return `${expert}@${version}/${action}`;
}
