import type { Event, RunStarted, TaskFailed } from "@odg/proto/odg/run/v1/run_pb";
import { RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Plan } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { isConsistent } from "./topology.ts";

// The invariants of the machine. machine.property.test.ts holds them against random DAGs, outcomes and interleavings.
//
// M1  Total: apply() never throws. A stale, duplicate, early or unknown event changes nothing and answers [].
// M2  Deterministic: the same events give the same commands. Time, ids and chance arrive in events.
// M3  A task is dispatched only when all its predecessors have succeeded, and once per attempt.
// M4  A task's status changes only along: PENDING -> READY -> RUNNING -> one of the ends, or by way of WAITING_RETRY back to
//     READY with the next attempt; an end is never left.
// M5  A task that failed, or was skipped or cancelled, takes every task behind it along: each is skipped (UPSTREAM) or cancelled.
//     Branches that do not depend on it go on.
// M6  completeRun is asked for exactly once: when the last task has ended. Nothing is asked for after RunCompleted.
// M7  pending() is a function of the events applied: the commands whose outcome no event has told yet. After a replay it is
//     what a driver has to perform again; a command is never lost and never doubled by a crash.
// M8  apply() costs O(out-degree of the task), RunStarted and RunCancelRequested O(tasks + edges). Only the answer is allocated.

/** Version of the machine's behaviour, written into RunStarted. It grows when the same events would give other commands. */
export const MACHINE_VERSION = 1;

/** Start this attempt of the task. Answered by TaskStarted, then TaskCompleted or TaskFailed; or at once by TaskSkipped or TaskFailed. */
export interface DispatchCommand {
  kind: "dispatch";
  /** The task's number in the workflow. */
  task: number;
  /** From 1. */
  attempt: number;
  /** Tasks on the longest path to an end: who has more goes first. */
  priority: number;
}

/** Record that the task will never run. Answered by TaskSkipped. */
export interface SkipCommand {
  kind: "skip";
  task: number;
  cause: SkipCause;
}

/** Wait, then record TaskRetryDue. */
export interface ScheduleRetryCommand {
  kind: "scheduleRetry";
  task: number;
  /** The attempt that failed. */
  attempt: number;
  /** The whole wait, in milliseconds. */
  afterMs: number;
  /** When the wait is over, in Unix milliseconds by the time of the TaskFailed event: what a driver waits for after a replay. */
  dueMs: number;
}

/** Stop the attempt, if one is under way, and record TaskCancelled. */
export interface CancelTaskCommand {
  kind: "cancelTask";
  task: number;
  /** The attempt that is under way; 0 where none is: not dispatched yet, or waiting to be tried again. */
  attempt: number;
}

/** Record the end of the run. Answered by RunCompleted. */
export interface CompleteRunCommand {
  kind: "completeRun";
  status: RunStatus;
}

/** What the machine asks its driver to do. */
export type Command = DispatchCommand | SkipCommand | ScheduleRetryCommand | CancelTaskCommand | CompleteRunCommand;

// Beside the public statuses: a skip was asked for and is not yet recorded. Seen from outside the task is PENDING.
const SKIPPING = 100;

// Phases of the run.
const IDLE = 0;
const RUNNING = 1;
const CANCELLING = 2;
const COMPLETING = 3;
const DONE = 4;

interface Retry {
  afterMs: number;
  dueMs: number;
}

/**
 * The state of one run: events in, commands out. It holds no clock and does no IO; the driver appends an event durably, applies it,
 * then performs the commands, whose outcomes are new events.
 */
export class RunMachine {
  #phase = IDLE;
  #runId = "";
  #lastSeq = 0n;
  // The plan's own arrays, which nobody changes.
  #offsets: readonly number[] = [0];
  #successors: readonly number[] = [];
  #priorities: readonly number[] = [];
  // Plain arrays: for a run of ten tasks, making typed ones would take as long as the run.
  #status: number[] = [];
  #attempt: number[] = [];
  /** Predecessors that have not succeeded yet. */
  #waitsFor: number[] = [];
  /** Waits under way, by task. */
  #retries: Map<number, Retry> | undefined;
  /** Tasks that have not ended. */
  #open = 0;
  /** What completeRun will say unless the run is cancelled. */
  #failed = false;
  #outcome = RunStatus.UNSPECIFIED;

  /** Number of tasks; 0 before RunStarted. */
  get taskCount(): number {
    return this.#status.length;
  }

  /** RUNNING from RunStarted to RunCompleted, then as that event says; UNSPECIFIED before. */
  get runStatus(): RunStatus {
    if (this.#phase === IDLE) return RunStatus.UNSPECIFIED;
    return this.#phase === DONE ? this.#outcome : RunStatus.RUNNING;
  }

  /** True once RunCancelRequested was accepted and until the run has ended. */
  get cancelling(): boolean {
    return this.#phase === CANCELLING;
  }

  /** How far a task is; UNSPECIFIED where there is no such task. */
  status(task: number): TaskStatus {
    const status = this.#status[task];
    if (status === undefined) return TaskStatus.UNSPECIFIED;
    return status === SKIPPING ? TaskStatus.PENDING : status;
  }

  /** The newest attempt that was dispatched, from 1; 0 where none was. */
  attempt(task: number): number {
    return this.#attempt[task] ?? 0;
  }

  /** Takes one event of the journal; answers what is to be done because of it, tasks of higher priority first. Never throws. */
  apply(event: Event): Command[] {
    return this.tryApply(event) ?? [];
  }

  /** As {@link apply}, but undefined where the event was refused: stale, duplicate, early, of another run, or of no concern here. */
  tryApply(event: Event): Command[] | undefined {
    if (this.#phase === DONE) return undefined;
    if (event.seq !== 0n && event.seq <= this.#lastSeq) return undefined;
    if (this.#phase !== IDLE && event.runId !== this.#runId) return undefined;
    const commands = this.#dispatch(event);
    if (commands !== undefined && event.seq !== 0n) this.#lastSeq = event.seq;
    return commands;
  }

  /** The commands whose outcome no event has told yet, in an order in which they may be performed again after a replay. */
  pending(): Command[] {
    if (this.#phase === IDLE || this.#phase === DONE) return [];
    if (this.#phase === COMPLETING) return [{ kind: "completeRun", status: this.#outcome }];
    const commands: Command[] = [];
    for (let task = 0; task < this.#status.length; task++) {
      const command = this.#inFlight(task);
      if (command !== undefined) commands.push(command);
    }
    return commands.sort(byPriority);
  }

  #inFlight(task: number): Command | undefined {
    const status = this.#status[task]!;
    if (status === SKIPPING) return { kind: "skip", task, cause: SkipCause.UPSTREAM };
    if (ended(status)) return undefined;
    if (this.#phase === CANCELLING) return this.#cancelTask(task);
    if (status === TaskStatus.PENDING) return undefined;
    if (status === TaskStatus.WAITING_RETRY) return this.#scheduleRetry(task);
    return this.#dispatchCommand(task);
  }

  #dispatch(event: Event): Command[] | undefined {
    const { kind } = event;
    if (kind.case === "runStarted") return this.#runStarted(kind.value, event.runId);
    if (this.#phase === IDLE) return undefined;
    switch (kind.case) {
      case "taskStarted":
        return this.#taskStarted(kind.value.task, kind.value.attempt);
      case "taskCompleted":
        return this.#taskCompleted(kind.value.task, kind.value.attempt);
      case "taskFailed":
        return this.#taskFailed(kind.value, event);
      case "taskSkipped":
        return this.#taskSkipped(kind.value.task, kind.value.cause);
      case "taskRetryDue":
        return this.#taskRetryDue(kind.value.task);
      case "taskCancelled":
        return this.#taskCancelled(kind.value.task);
      case "runCancelRequested":
        return this.#runCancelRequested();
      case "runCompleted":
        return this.#runCompleted(kind.value.status);
      default:
        return undefined;
    }
  }

  #runStarted(started: RunStarted, runId: string): Command[] | undefined {
    if (this.#phase !== IDLE || started.machineVersion > MACHINE_VERSION) return undefined;
    this.#phase = RUNNING;
    this.#runId = runId;
    const { plan } = started;
    // A journal whose plan is broken can make no step; the run must still end, and say so.
    if (plan === undefined || plan.inDegrees.length !== started.workflow?.tasks.length || !isConsistent(plan)) {
      return this.#complete(RunStatus.FAILED);
    }
    this.#load(plan);
    if (this.#open === 0) return this.#complete(RunStatus.SUCCEEDED);
    const commands: Command[] = [];
    for (const task of plan.order) {
      if (this.#waitsFor[task] === 0) commands.push(this.#ready(task));
    }
    return commands.sort(byPriority);
  }

  #load(plan: Plan): void {
    const count = plan.inDegrees.length;
    this.#offsets = plan.successorOffsets;
    this.#successors = plan.successors;
    this.#priorities = plan.priorities;
    this.#waitsFor = plan.inDegrees.slice();
    this.#attempt = new Array<number>(count).fill(0);
    this.#status = new Array<number>(count).fill(TaskStatus.PENDING);
    this.#open = count;
  }

  #taskStarted(task: number, attempt: number): Command[] | undefined {
    if (this.#status[task] !== TaskStatus.READY || this.#attempt[task] !== attempt) return undefined;
    this.#status[task] = TaskStatus.RUNNING;
    return [];
  }

  #taskCompleted(task: number, attempt: number): Command[] | undefined {
    if (!this.#underWay(task) || this.#attempt[task] !== attempt) return undefined;
    this.#end(task, TaskStatus.SUCCEEDED);
    const commands: Command[] = [];
    const close = this.#offsets[task + 1]!;
    for (let i = this.#offsets[task]!; i < close; i++) {
      const next = this.#successors[i]!;
      this.#waitsFor[next]!--;
      const free = this.#waitsFor[next] === 0 && this.#status[next] === TaskStatus.PENDING;
      if (free && this.#phase === RUNNING) commands.push(this.#ready(next));
    }
    return this.#orComplete(commands.length > 1 ? commands.sort(byPriority) : commands);
  }

  #taskFailed(failed: TaskFailed, event: Event): Command[] | undefined {
    const { task, attempt, retryAfter } = failed;
    if (!this.#underWay(task)) return undefined;
    // Attempt 0: it failed before any attempt began.
    const early = attempt === 0 && this.#attempt[task] === 1 && this.#status[task] === TaskStatus.READY;
    if (this.#attempt[task] !== attempt && !early) return undefined;
    if (retryAfter !== undefined && this.#phase === RUNNING) {
      this.#status[task] = TaskStatus.WAITING_RETRY;
      const afterMs = Math.max(0, millis(retryAfter));
      this.#retries ??= new Map();
      this.#retries.set(task, { afterMs, dueMs: (event.time === undefined ? 0 : millis(event.time)) + afterMs });
      return [this.#scheduleRetry(task)];
    }
    // Nothing is tried again in a run that is being cancelled, and its failures are fallout of that.
    this.#failed ||= this.#phase === RUNNING;
    this.#end(task, TaskStatus.FAILED);
    return this.#orComplete(this.#skipSuccessors(task));
  }

  #taskSkipped(task: number, cause: SkipCause): Command[] | undefined {
    const status = this.#status[task];
    const expected = cause === SkipCause.CONDITION ? TaskStatus.READY : SKIPPING;
    if (status === undefined || status !== expected) return undefined;
    this.#end(task, TaskStatus.SKIPPED);
    return this.#orComplete(this.#skipSuccessors(task));
  }

  #taskRetryDue(task: number): Command[] | undefined {
    if (this.#status[task] !== TaskStatus.WAITING_RETRY || this.#phase !== RUNNING) return undefined;
    this.#retries?.delete(task);
    return [this.#ready(task)];
  }

  #taskCancelled(task: number): Command[] | undefined {
    const status = this.#status[task];
    if (this.#phase !== CANCELLING || status === undefined || ended(status)) return undefined;
    this.#end(task, TaskStatus.CANCELLED);
    return this.#orComplete([]);
  }

  #runCancelRequested(): Command[] | undefined {
    if (this.#phase !== RUNNING) return undefined;
    this.#phase = CANCELLING;
    const commands: Command[] = [];
    for (let task = 0; task < this.#status.length; task++) {
      const status = this.#status[task]!;
      if (status === SKIPPING || ended(status)) continue;
      commands.push(this.#cancelTask(task));
    }
    this.#retries?.clear();
    return commands;
  }

  // A fact, even where the machine did not ask for it: terminating a run must always work.
  #runCompleted(status: RunStatus): Command[] {
    this.#phase = DONE;
    this.#outcome = status;
    return [];
  }

  #ready(task: number): DispatchCommand {
    this.#status[task] = TaskStatus.READY;
    this.#attempt[task]!++;
    return this.#dispatchCommand(task);
  }

  #dispatchCommand(task: number): DispatchCommand {
    return { kind: "dispatch", task, attempt: this.#attempt[task]!, priority: this.#priorities[task]! };
  }

  #cancelTask(task: number): CancelTaskCommand {
    return { kind: "cancelTask", task, attempt: this.#underWay(task) ? this.#attempt[task]! : 0 };
  }

  #scheduleRetry(task: number): ScheduleRetryCommand {
    const { afterMs, dueMs } = this.#retries!.get(task)!;
    return { kind: "scheduleRetry", task, attempt: this.#attempt[task]!, afterMs, dueMs };
  }

  #skipSuccessors(task: number): Command[] {
    const commands: Command[] = [];
    if (this.#phase !== RUNNING) return commands;
    const close = this.#offsets[task + 1]!;
    for (let i = this.#offsets[task]!; i < close; i++) {
      const next = this.#successors[i]!;
      if (this.#status[next] !== TaskStatus.PENDING) continue;
      this.#status[next] = SKIPPING;
      commands.push({ kind: "skip", task: next, cause: SkipCause.UPSTREAM });
    }
    return commands;
  }

  #underWay(task: number): boolean {
    const status = this.#status[task];
    return status === TaskStatus.READY || status === TaskStatus.RUNNING;
  }

  #end(task: number, status: TaskStatus): void {
    this.#status[task] = status;
    this.#open--;
  }

  #orComplete(commands: Command[]): Command[] {
    if (this.#open > 0) return commands;
    if (this.#failed) return this.#complete(RunStatus.FAILED);
    return this.#complete(this.#phase === CANCELLING ? RunStatus.CANCELLED : RunStatus.SUCCEEDED);
  }

  #complete(status: RunStatus): Command[] {
    this.#phase = COMPLETING;
    this.#outcome = status;
    return [{ kind: "completeRun", status }];
  }
}

function ended(status: number): boolean {
  return status >= TaskStatus.SUCCEEDED && status <= TaskStatus.CANCELLED;
}

function byPriority(a: Command, b: Command): number {
  return rank(b) - rank(a);
}

// Dispatches by their priority (1 at least), everything else after them.
function rank(command: Command): number {
  return command.kind === "dispatch" ? command.priority : 0;
}

/** Milliseconds of a Duration or a Timestamp, fractions kept. */
function millis(time: { seconds: bigint; nanos: number }): number {
  return Number(time.seconds) * 1000 + time.nanos / 1e6;
}
