// What a simulated engine has around it: time, chance, a journal that fails, and experts who do as a seed says.
import { clone, create } from "@bufbuild/protobuf";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  ApprovalRequestedSchema,
  RunSchema,
  TaskCompletedSchema,
  TaskExpandedSchema,
  TaskFailedSchema,
  TaskStartedSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { CancelTaskCommand, CompleteTaskCommand, DispatchCommand, WithdrawCommand } from "@odg/workflow";
import type { Clock } from "../clock.ts";
import type { ActiveRun } from "../run/active-run.ts";
import type { Performer } from "../run/perform-command.ts";
import type { MemoryStore } from "../store/memory.ts";
import type { Append, Journal } from "../store/store.ts";
import { StoreUnavailable } from "../store/unavailable.ts";

/** Mulberry32 (Tommy Ettinger, public domain): the same numbers from 0 to 1 for the same seed. */
export function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Time that stands still until it is moved. */
export class SimulatedClock implements Clock {
  time = 1_700_000_000_000;
  readonly random: () => number;
  #waiting = new Map<object, { at: number; callback: () => void }>();

  constructor(random: () => number) {
    this.random = random;
  }

  now = () => this.time;

  after(ms: number, callback: () => void): () => void {
    const key = {};
    this.#waiting.set(key, { at: this.time + ms, callback });
    return () => void this.#waiting.delete(key);
  }

  advance(ms: number): void {
    this.time += ms;
    for (const [key, { at, callback }] of this.#waiting) {
      if (at > this.time) continue;
      this.#waiting.delete(key);
      callback();
    }
  }
}

/** How an append ends: well; refused before it was kept; or kept, with the answer lost. */
export type AppendEnd = "kept" | "refused" | "answer lost";

/** A journal on the way to which appends wait until somebody says how they end. */
export class SimulatedJournal implements Journal {
  readonly #store: MemoryStore;
  readonly #waiting: { append: Append; resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  append(append: Append): Promise<void> {
    // As it is now: the driver goes on with it.
    const run = clone(RunSchema, append.run);
    return new Promise((resolve, reject) => this.#waiting.push({ append: { ...append, run }, resolve, reject }));
  }

  readEvents(...place: Parameters<Journal["readEvents"]>): ReturnType<Journal["readEvents"]> {
    return this.#store.readEvents(...place);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Ends the oldest append. */
  settle(end: AppendEnd): void {
    const next = this.#waiting.shift();
    if (!next) return;
    try {
      if (end !== "refused") this.#store.append(next.append);
      if (end === "kept") next.resolve();
      else next.reject(new StoreUnavailable(`simulated: ${end}`));
    } catch (error) {
      next.reject(error);
    }
  }
}

interface SimulatedJob {
  run: ActiveRun;
  task: number;
  item: number;
  attempt: number;
  begun: boolean;
}

/** Experts whose effects outlive every engine. */
export class SimulatedExperts implements Performer {
  /** Calls of the effect by key. */
  readonly effects: Map<string, number>;
  readonly jobs = new Set<SimulatedJob>();
  readonly #random: () => number;

  constructor(random: () => number, effects: Map<string, number>) {
    this.#random = random;
    this.effects = effects;
  }

  dispatch(run: ActiveRun, { task, item, attempt }: DispatchCommand): void {
    const { approval, forEach } = run.task(task);
    const { machine } = run.projection;
    if (item === 0 && approval && !machine.approved(task)) {
      run.record({ case: "approvalRequested", value: create(ApprovalRequestedSchema, { task, question: "?" }) });
      return;
    }
    if (item === 0 && forEach) {
      const count = Math.floor(this.#random() * 6);
      const value = create(TaskExpandedSchema, { task, count, maxConcurrency: forEach.maxConcurrency });
      run.record({ case: "taskExpanded", value });
      return;
    }
    const status = item > 0 ? machine.itemStatus(task, item) : machine.status(task);
    this.jobs.add({ run, task, item, attempt, begun: status === TaskStatus.RUNNING });
  }

  completeTask(run: ActiveRun, { task, attempt, failed }: CompleteTaskCommand): void {
    const failure = create(FailureSchema, { reason: Reason.ITEM_FAILED, message: "an item failed" });
    run.record(
      failed
        ? { case: "taskFailed", value: create(TaskFailedSchema, { task, attempt, failure }) }
        : { case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt }) },
    );
  }

  reuse(): void {
    throw new Error("no simulated run reuses anything");
  }

  cancel(run: ActiveRun, { task, item }: CancelTaskCommand): void {
    this.#forget(run, task, item);
  }

  withdraw(run: ActiveRun, { task, item }: WithdrawCommand): void {
    this.#forget(run, task, item);
  }

  /** Lets one job come a step further: begin, or have its effect and end. */
  step(calm: boolean): void {
    const jobs = [...this.jobs];
    const job = jobs[Math.floor(this.#random() * jobs.length)];
    if (!job) return;
    const { run, task, item, attempt } = job;
    const idempotencyKey = `${run.runId}/${run.task(task).id}${item > 0 ? `[${item}]` : ""}/1`;
    if (!job.begun) {
      job.begun = true;
      const value = create(TaskStartedSchema, { task, item, attempt, idempotencyKey, expert: "E@1.0.0" });
      run.record({ case: "taskStarted", value });
      return;
    }
    this.jobs.delete(job);
    this.effects.set(idempotencyKey, (this.effects.get(idempotencyKey) ?? 0) + 1);
    const fails = !calm && this.#random() < 0.25;
    const failure = create(FailureSchema, { reason: Reason.EXPERT_FAILED, message: "told to", retryable: true });
    const outcome = fails
      ? { case: "taskFailed" as const, value: run.failed({ task, item, attempt, failure }) }
      : { case: "taskCompleted" as const, value: create(TaskCompletedSchema, { task, item, attempt }) };
    run.record(outcome);
    // Said twice, as by a connection that was thought lost.
    if (this.#random() < 0.1) run.record(outcome);
  }

  #forget(run: ActiveRun, task: number, item: number): void {
    for (const job of this.jobs)
      if (job.run === run && job.task === task && (job.item === item || item === 0)) this.jobs.delete(job);
  }
}
