import { create } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  ApprovalDecidedSchema,
  ApprovalEscalatedSchema,
  ApprovalRequestedSchema,
  ApprovalStatus,
  type Event,
  RunCompletedSchema,
  type RunStarted,
  RunTimedOutSchema,
  SkipCause,
  TaskCancelledSchema,
  type TaskCompleted,
  TaskCompletedSchema,
  TaskExpandedSchema,
  TaskFailedSchema,
  TaskRetryDueSchema,
  TaskSkippedSchema,
  TaskStartedSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Command, CompleteTaskCommand, DispatchCommand } from "../command.ts";
import { RunProjection } from "../projection.ts";
import { retryDelay } from "../retry.ts";
import { effectKey, LeaseLost, stamped } from "./sim-world.ts";
import type { Simulation } from "./simulate.ts";

/** An attempt that an expert works on. */
export interface Work {
  task: number;
  item: number;
  attempt: number;
  key: string;
  /** Version of the shared counter that the expert saw when it began. */
  saw: { version: bigint; value: number };
  /** What the effect came to, once it has happened. */
  result?: number;
}

type Kind = Event["kind"];

interface Recorded {
  kind: Kind;
  then?: (() => void) | undefined;
}

/** One engine that drives the run, as the real one does: append durably, apply, perform. It may die at every append. */
export class SimEngine {
  readonly projection: RunProjection;
  readonly work = new Map<string, Work>();
  readonly waiting = new Map<string, DispatchCommand>();
  readonly timers = new Map<string, { due: number; fire: () => void }>();
  lost = false;
  #sim: Simulation;
  #fence: number;
  #queue: Recorded[] = [];
  #pumping = false;

  constructor(sim: Simulation, projection = new RunProjection()) {
    this.#sim = sim;
    this.projection = projection;
    this.#fence = sim.journal.claim();
  }

  start(started: RunStarted): void {
    this.record({ case: "runStarted", value: started });
  }

  resume(): void {
    for (const command of this.projection.machine.pending()) this.#perform(command);
  }

  snapshot(): void {
    this.#sim.journal.keep(this.projection, this.#fence);
  }

  /** Records what happened, unless the run refuses it. `then` is called once it is durable. */
  record(kind: Kind, then?: () => void): void {
    this.#queue.push({ kind, then });
    // While a commit is under way others gather behind it, and go with the next.
    if (!this.#pumping && !this.#sim.random.chance(0.3)) this.flush();
  }

  /** Commits what waits. */
  flush(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#queue.length > 0 && !this.lost) this.#commit(this.#queue.splice(0));
    this.#pumping = false;
  }

  #commit(batch: Recorded[]): void {
    const events: Event[] = [];
    const after: (() => void)[] = [];
    for (const { kind, then } of batch) {
      const seq = Number(this.projection.run().lastSeq) + 1;
      const event = stamped(this.#checked(kind), seq, this.#sim.wall);
      const commands = this.projection.tryApply(event);
      if (commands === undefined) continue;
      events.push(event);
      after.push(() => {
        for (const command of commands) this.#perform(command);
        then?.();
      });
    }
    if (events.length === 0) return;
    this.#sim.mayCrash();
    try {
      this.#sim.journal.append(events, this.#fence);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      this.lost = true;
      return;
    }
    this.#sim.mayCrash();
    for (const follow of after) follow();
  }

  #checked(kind: Kind): Kind {
    if (kind.case !== "taskCompleted" || this.projection.conflict(kind.value) === undefined) return kind;
    const { task, item, attempt } = kind.value;
    return { case: "taskFailed", value: this.#failure({ task, item, attempt }, Reason.CONTEXT_CONFLICT) };
  }

  #failure({ task, item, attempt }: Pick<Work, "task" | "item" | "attempt">, reason: Reason, retryable = true) {
    const failure = create(FailureSchema, { reason, retryable, message: "broken" });
    const retryAfter = retryDelay(this.#sim.workflow.tasks[task]!, attempt, failure, this.#sim.random.next());
    return create(TaskFailedSchema, { task, item, attempt, failure, retryAfter });
  }

  #perform(command: Command): void {
    const kind = this.#answerTo(command);
    if (kind !== undefined) this.record(kind);
  }

  /** What is to be recorded at once; nothing where that comes later. */
  #answerTo(command: Command): Kind | undefined {
    switch (command.kind) {
      case "dispatch":
        return command.item > 0 ? this.#wait(command) : this.#consider(command);
      case "reuse": {
        const { task, attempt } = command;
        return { case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt, reusedFrom: "run-0" }) };
      }
      case "skip":
        return { case: "taskSkipped", value: create(TaskSkippedSchema, { task: command.task, cause: command.cause }) };
      case "scheduleRetry": {
        const { task, item, dueMs } = command;
        const due: Kind = { case: "taskRetryDue", value: create(TaskRetryDueSchema, { task, item }) };
        return this.#timer(`retry ${task}/${item}`, dueMs, () => this.record(due));
      }
      case "awaitApproval": {
        const { task, deadlineMs } = command;
        if (deadlineMs === undefined) return undefined;
        return this.#timer(`approval ${task}`, deadlineMs, () => this.record(this.#overdue(task)));
      }
      case "completeTask":
        return this.#completeTask(command);
      case "withdraw":
        this.waiting.delete(nameOf(command));
        return undefined;
      case "cancelTask":
        this.work.delete(nameOf(command));
        this.waiting.delete(nameOf(command));
        return { case: "taskCancelled", value: create(TaskCancelledSchema, { task: command.task }) };
      case "scheduleRunTimeout": {
        const over: Kind = { case: "runTimedOut", value: create(RunTimedOutSchema) };
        return this.#timer("run", command.dueMs, () => this.record(over));
      }
      case "completeRun":
        return { case: "runCompleted", value: create(RunCompletedSchema, { status: command.status }) };
    }
  }

  #timer(name: string, dueMs: number, fire: () => void): undefined {
    const due = this.#sim.clock + Math.max(0, dueMs - this.#sim.wall);
    this.timers.set(name, { due, fire });
  }

  #overdue(task: number): Kind {
    const { approval } = this.#sim.workflow.tasks[task]!;
    const escalated = this.projection.run().tasks[task]!.approval?.escalated ?? false;
    if (approval?.escalateTo.length && !escalated) {
      const value = create(ApprovalEscalatedSchema, { task, deadline: this.#sim.in(600) });
      return { case: "approvalEscalated", value };
    }
    const value = create(ApprovalDecidedSchema, { task, status: ApprovalStatus.EXPIRED });
    return { case: "approvalDecided", value };
  }

  #consider(command: DispatchCommand): Kind | undefined {
    const { task, attempt } = command;
    const { approval, forEach, action } = this.#sim.workflow.tasks[task]!;
    const { machine } = this.projection;
    if (machine.status(task) === TaskStatus.RUNNING) return this.#wait(command);
    if (attempt === 1 && this.#sim.isFalse(task))
      return { case: "taskSkipped", value: create(TaskSkippedSchema, { task, cause: SkipCause.CONDITION }) };
    if (approval !== undefined && !machine.approved(task)) {
      const deadline = this.#sim.in(600);
      return { case: "approvalRequested", value: create(ApprovalRequestedSchema, { task, deadline }) };
    }
    if (action === "") return { case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt }) };
    if (forEach === undefined) return this.#wait(command);
    const count = this.#sim.itemsOf(task);
    const value = create(TaskExpandedSchema, { task, count, maxConcurrency: forEach.maxConcurrency });
    return { case: "taskExpanded", value };
  }

  #wait(command: DispatchCommand): undefined {
    this.waiting.set(nameOf(command), command);
  }

  /** An expert is free for this one. */
  place(name: string): void {
    const command = this.waiting.get(name);
    if (command === undefined) return;
    this.waiting.delete(name);
    const { task, item, attempt } = command;
    const { machine, context } = this.projection;
    const key = effectKey(this.#sim.workflow.tasks[task]!, item);
    // An expert reads what others share once it works.
    const begin = () => {
      const entry = context.get("counter");
      const value = entry?.value?.kind.case === "numberValue" ? entry.value.kind.value : 0;
      this.work.set(name, { task, item, attempt, key, saw: { version: entry?.version ?? 0n, value } });
    };
    const status = item > 0 ? machine.itemStatus(task, item) : machine.status(task);
    // It was under way when the engine before this one died.
    if (status === TaskStatus.RUNNING) begin();
    else {
      const started = create(TaskStartedSchema, { task, item, attempt, expert: "E@1.0.0", idempotencyKey: key });
      this.record({ case: "taskStarted", value: started }, begin);
    }
  }

  /** The expert's answer arrives, perhaps a second time, perhaps after the attempt was cancelled. */
  deliver(name: string, work: Work): void {
    const current = this.work.get(name) === work;
    if (current) this.work.delete(name);
    const { random } = this.#sim;
    if (work.result === undefined) {
      const value = this.#failure(work, Reason.EXPERT_FAILED, random.chance(0.8));
      this.record({ case: "taskFailed", value });
      return;
    }
    this.record({ case: "taskCompleted", value: this.#completed(work) });
  }

  #completed({ task, item, attempt, saw, result = 0 }: Work): TaskCompleted {
    // Half of the writers name the version they saw. Items always do: those of one task may overwrite each other otherwise.
    const named = item > 0 || task % 2 === 0;
    const write = { key: "counter", value: number(saw.value + 1), ...(named ? { expectedVersion: saw.version } : {}) };
    return create(TaskCompletedSchema, { task, item, attempt, output: number(result), contextWrites: [write] });
  }

  #completeTask({ task, attempt, failed }: CompleteTaskCommand): Kind {
    if (failed)
      return { case: "taskFailed", value: this.#failure({ task, item: 0, attempt }, Reason.ITEM_FAILED, false) };
    const values = this.projection
      .expansion(task)!
      .results()
      .map(({ output }) => output!);
    const output = { kind: { case: "listValue" as const, value: { values } } };
    return { case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt, output }) };
  }
}

function nameOf({ task, item }: { task: number; item: number }): string {
  return `${task}/${item}`;
}

function number(value: number) {
  return create(ValueSchema, { kind: { case: "numberValue", value } });
}
