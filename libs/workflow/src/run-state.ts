import type { RunStarted } from "@odg/proto/odg/run/v1/run_pb";
import { RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { RunPhase } from "@odg/proto/odg/run/v1/snapshot_pb";
import { byPriority, type CancelTaskCommand, type Command } from "./command.ts";
import type { Consents } from "./consent.ts";
import type { TaskItems } from "./items.ts";
import { isConsistent } from "./topology.ts";
import { Frontier, READY, TAINTED, WAIT } from "./trigger.ts";
import type { Wait } from "./wait.ts";

/**
 * Version of the machine's behaviour, written into RunStarted. It grows when the same events would give other commands. Version 2 knows
 * trigger rules, failing fast, items, approvals, pauses, timeouts of the run, and results taken over; it follows journals of version 1
 * as that did, by the recorded histories in testdata.
 */
export const MACHINE_VERSION = 2;

/** Beside the public statuses: a skip was asked for and is not yet recorded. Seen from outside the task is PENDING. */
export const SKIPPING = 100;

const { UNSPECIFIED: IDLE, RUNNING, CANCELLING, COMPLETING } = RunPhase;

// Before RunStarted; it is never changed.
const NOTHING = new Frontier([], []);

/** Where one run stands, and the steps that its events are made of. RunMachine alone holds one; what each event does is in on-*.ts. */
export class RunState {
  phase = IDLE;
  paused = false;
  failFast = false;
  runId = "";
  lastSeq = 0n;
  deadlineMs = 0;
  // The plan's own arrays, which nobody changes.
  offsets: readonly number[] = [0];
  successors: readonly number[] = [];
  priorities: readonly number[] = [];
  // Plain arrays: for a run of ten tasks, making typed ones would take as long as the run.
  status: number[] = [];
  attempt: number[] = [];
  frontier: Frontier = NOTHING;
  reused: ReadonlySet<number> | undefined;
  // By task, and made for the first that needs them: waits under way, consents, items of tasks that are at work.
  waits: Map<number, Wait> | undefined;
  consents: Consents | undefined;
  items: Map<number, TaskItems> | undefined;
  /** Tasks that have not ended. */
  open = 0;
  /** What completeRun will say unless the run is cancelled. */
  failed = false;
  outcome = RunStatus.UNSPECIFIED;

  /** Takes up the plan; false where that is broken. */
  load(started: RunStarted, runId: string): boolean {
    this.runId = runId;
    const { plan, workflow } = started;
    if (plan === undefined || plan.inDegrees.length !== workflow?.tasks.length || !isConsistent(plan)) return false;
    const count = plan.inDegrees.length;
    this.offsets = plan.successorOffsets;
    this.successors = plan.successors;
    this.priorities = plan.priorities;
    this.attempt = new Array<number>(count).fill(0);
    this.status = new Array<number>(count).fill(TaskStatus.PENDING);
    this.open = count;
    this.frontier = new Frontier(plan.inDegrees.slice(), knowsControl(started) ? workflow.tasks : []);
    this.failFast = knowsControl(started) && workflow.onFailure === "fail_fast";
    if (started.reused.length > 0) this.reused = new Set(started.reused);
    return true;
  }

  /** The task may run: it is dispatched, or held where the run is paused. */
  free(task: number, into: Command[]): void {
    this.status[task] = TaskStatus.READY;
    this.attempt[task]!++;
    if (!this.paused) into.push(this.begin(task));
  }

  /** The dispatch of a task, or what stands in its place. */
  begin(task: number): Command {
    const attempt = this.attempt[task]!;
    if (this.reused?.has(task)) return { kind: "reuse", task, attempt };
    return { kind: "dispatch", task, attempt, item: 0, priority: this.priorities[task]! };
  }

  /** What ends an open task, or its open items. */
  cancelTask(task: number, status: number): CancelTaskCommand[] {
    const items = this.itemsOf(task);
    if (items !== undefined) return items.cancel();
    const begun = status === TaskStatus.READY || status === TaskStatus.RUNNING;
    return [{ kind: "cancelTask", task, item: 0, attempt: begun ? this.attempt[task]! : 0 }];
  }

  /** The wait of a task for its next attempt. */
  scheduleRetry(task: number): Command {
    const { afterMs, dueMs } = this.waits!.get(task)!;
    return { kind: "scheduleRetry", task, item: 0, attempt: this.attempt[task]!, afterMs, dueMs };
  }

  /** The end of a task whose items have ended. */
  completeTask(task: number, { failed, firstFailed }: TaskItems): Command {
    const attempt = this.attempt[task]!;
    return { kind: "completeTask", task, attempt, failed: failed > 0, failedItem: firstFailed };
  }

  /** Adds the wait for the end of the time that the run has. */
  withTimeout(commands: Command[]): Command[] {
    if (this.deadlineMs > 0 && this.phase === RUNNING)
      commands.push({ kind: "scheduleRunTimeout", dueMs: this.deadlineMs });
    return commands;
  }

  /** The task has failed for good. In a run that is being cancelled that is fallout. */
  fail(task: number): Command[] {
    this.failed ||= this.phase === RUNNING;
    this.end(task, TaskStatus.FAILED);
    if (this.failFast && this.phase === RUNNING) return this.orComplete(this.cancelOpen());
    return this.orComplete(this.advance(task, TAINTED));
  }

  /** What the end of a task means to those behind it. */
  advance(task: number, end: number): Command[] {
    const commands: Command[] = [];
    const close = this.offsets[task + 1]!;
    for (let i = this.offsets[task]!; i < close; i++) {
      const next = this.successors[i]!;
      const verdict = this.frontier.arrive(next, end);
      if (verdict === WAIT || this.status[next] !== TaskStatus.PENDING || this.phase !== RUNNING) continue;
      if (verdict === READY) this.free(next, commands);
      else commands.push(this.skip(next));
    }
    return commands.length > 1 ? commands.sort(byPriority) : commands;
  }

  /** The task will never run, once that is recorded. */
  skip(task: number): Command {
    this.status[task] = SKIPPING;
    return { kind: "skip", task, cause: SkipCause.UPSTREAM };
  }

  /** The items of a task that is at work on them. */
  itemsOf(task: number): TaskItems | undefined {
    return this.items?.get(task);
  }

  /** Whether an attempt may end. What is ready may not while the run is paused: its dispatch was taken back. */
  underWay(task: number): boolean {
    const status = this.status[task];
    return status === TaskStatus.RUNNING || (status === TaskStatus.READY && !this.paused);
  }

  /** As {@link underWay}, of an item. */
  itemUnderWay(items: TaskItems, item: number): boolean {
    const status = items.status(item);
    return status === TaskStatus.RUNNING || (status === TaskStatus.READY && !this.paused);
  }

  /** The task has ended like this. */
  end(task: number, status: TaskStatus): void {
    this.status[task] = status;
    this.items?.delete(task);
    this.open--;
  }

  /** These commands, or the end of the run where no task is open. */
  orComplete(commands: Command[]): Command[] {
    if (this.open > 0) return commands;
    if (this.failed) return this.complete(RunStatus.FAILED);
    return this.complete(this.phase === CANCELLING ? RunStatus.CANCELLED : RunStatus.SUCCEEDED);
  }

  /** Nothing is left but to record the end. */
  complete(status: RunStatus): Command[] {
    this.phase = COMPLETING;
    this.outcome = status;
    return [{ kind: "completeRun", status }];
  }

  /** Cancels what is open. */
  cancelOpen(): Command[] {
    this.phase = CANCELLING;
    this.paused = false;
    this.waits = undefined;
    return this.status.flatMap((status, task) =>
      status === SKIPPING || hasEnded(status) ? [] : this.cancelTask(task, status),
    );
  }

  /** Whether a decision on the task may still be taken. */
  undecided(task: number): boolean {
    return this.phase === RUNNING && this.status[task] === TaskStatus.WAITING_APPROVAL;
  }

  /** What follows from the end of an item. */
  afterItem(task: number, items: TaskItems): Command[] {
    if (this.phase === CANCELLING) return items.active === 0 ? items.cancel() : [];
    if (items.settled) return [this.completeTask(task, items)];
    return this.paused ? [] : items.fill();
  }

  /** The commands of one task whose outcome no event has told yet. */
  inFlight(task: number, status: number): Command[] {
    if (status === SKIPPING) return [{ kind: "skip", task, cause: SkipCause.UPSTREAM }];
    if (hasEnded(status)) return [];
    if (this.phase === CANCELLING) return this.cancelTask(task, status);
    if (status === TaskStatus.PENDING) return [];
    if (status === TaskStatus.WAITING_RETRY) return [this.scheduleRetry(task)];
    if (status === TaskStatus.WAITING_APPROVAL) return [this.consents!.wait(task)];
    const items = this.items?.get(task);
    if (items !== undefined) return items.settled ? [this.completeTask(task, items)] : items.inFlight(this.paused);
    return this.underWay(task) ? [this.begin(task)] : [];
  }
}

/** What version 1 did not know has no say in its journals. */
export function knowsControl({ machineVersion }: RunStarted): boolean {
  return machineVersion >= 2;
}

/** Whether a task with this status never changes again. */
export function hasEnded(status: number): boolean {
  return status >= TaskStatus.SUCCEEDED && status <= TaskStatus.CANCELLED;
}
