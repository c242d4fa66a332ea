import { create } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type {
  Event,
  RunStarted,
  TaskCompleted,
  TaskExpanded,
  TaskFailed,
  TaskStarted,
} from "@odg/proto/odg/run/v1/run_pb";
import { ApprovalStatus, RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type MachineState, MachineStateSchema, RunPhase } from "@odg/proto/odg/run/v1/snapshot_pb";
import { byPriority, type CancelTaskCommand, type Command } from "./command.ts";
import { Consents } from "./consent.ts";
import { type ItemNumbers, MAX_ITEMS, TaskItems } from "./items.ts";
import { isConsistent } from "./topology.ts";
import { Frontier, READY, SKIPPED, TAINTED, WAIT, WELL } from "./trigger.ts";
import { millis, type Wait, waitsFromProto, waitsToProto } from "./wait.ts";

// The invariants of the machine. machine.property.test.ts holds them against random DAGs, rules, outcomes and interleavings.
//
// M1  Total: apply() never throws. A stale, duplicate, early or unknown event changes nothing and answers [].
// M2  Deterministic: the same events give the same commands. Time, ids and chance arrive in events.
// M3  A task is dispatched only when its predecessors have ended as its trigger rule wants, and once per attempt: again only after
//     its consent was granted, or where a pause took the dispatch back. An item is dispatched only while its task is RUNNING.
// M4  A task's status changes only along: PENDING -> READY -> RUNNING -> one of the ends, or by way of WAITING_RETRY back to
//     READY with the next attempt, or from READY by way of WAITING_APPROVAL back to READY with the same; an end is never left.
//     Items likewise, without the approval. A task with items ends after the last of them that has begun.
// M5  Under the rule all_success, a task that failed, or was skipped or cancelled, takes every task behind it along: each is skipped
//     (UPSTREAM) or cancelled; other rules say for themselves. Branches that do not depend on it go on, unless the workflow fails fast.
// M6  completeRun is asked for exactly once: when the last task has ended. Nothing is asked for after RunCompleted.
// M7  pending() is a function of the events applied: the commands whose outcome no event has told yet. After a replay it is
//     what a driver has to perform again; a command is never lost and never doubled by a crash.
// M8  apply() costs O(out-degree of the task); RunStarted, the pause, its end and a cancellation O(tasks + edges + items), TaskExpanded
//     O(items). Only the answer is allocated, and on TaskExpanded the items.
// M9  While the run is paused nothing is dispatched, and no event that would begin something is accepted.

/**
 * Version of the machine's behaviour, written into RunStarted. It grows when the same events would give other commands. Version 2 knows
 * trigger rules, failing fast, items, approvals, pauses, timeouts of the run, and results taken over; it follows journals of version 1
 * as that did, by the recorded histories in testdata.
 */
export const MACHINE_VERSION = 2;

// Beside the public statuses: a skip was asked for and is not yet recorded. Seen from outside the task is PENDING.
const SKIPPING = 100;

// Before RunStarted; it is never changed.
const NOTHING = new Frontier([], []);

const { UNSPECIFIED: IDLE, RUNNING, CANCELLING, COMPLETING, DONE } = RunPhase;

/** What a machine is made of again. */
export interface MachineSnapshot {
  /** The content of the run's first event. */
  started: RunStarted;
  runId: string;
  state: MachineState;
}

/**
 * The state of one run: events in, commands out. It holds no clock and does no IO; the driver appends an event durably, applies it,
 * then performs the commands, whose outcomes are new events.
 */
export class RunMachine {
  #phase = IDLE;
  #paused = false;
  #failFast = false;
  #runId = "";
  #lastSeq = 0n;
  #deadlineMs = 0;
  // The plan's own arrays, which nobody changes.
  #offsets: readonly number[] = [0];
  #successors: readonly number[] = [];
  #priorities: readonly number[] = [];
  // Plain arrays: for a run of ten tasks, making typed ones would take as long as the run.
  #status: number[] = [];
  #attempt: number[] = [];
  #frontier: Frontier = NOTHING;
  #reused: ReadonlySet<number> | undefined;
  // By task, and made for the first that needs them: waits under way, consents, items of tasks that are at work.
  #waits: Map<number, Wait> | undefined;
  #consents: Consents | undefined;
  #items: Map<number, TaskItems> | undefined;
  /** Tasks that have not ended. */
  #open = 0;
  /** What completeRun will say unless the run is cancelled. */
  #failed = false;
  #outcome = RunStatus.UNSPECIFIED;

  /** Number of tasks; 0 before RunStarted. */
  get taskCount(): number {
    return this.#status.length;
  }

  /** RUNNING or PAUSED from RunStarted to RunCompleted, then as that event says; UNSPECIFIED before. */
  get runStatus(): RunStatus {
    if (this.#phase === IDLE) return RunStatus.UNSPECIFIED;
    if (this.#phase === DONE) return this.#outcome;
    return this.#paused ? RunStatus.PAUSED : RunStatus.RUNNING;
  }

  /** True once what is open is being cancelled (by someone, by the time, or because the workflow fails fast), until all has ended. */
  get cancelling(): boolean {
    return this.#phase === CANCELLING;
  }

  /** When the run must have ended, in Unix milliseconds; undefined for no limit. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs || undefined;
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

  /** Whether the consent that the task waits for was granted. */
  approved(task: number): boolean {
    return this.#consents?.approved(task) ?? false;
  }

  /** How the items of a task stand; undefined where it has none, or has ended. */
  items(task: number): ItemNumbers | undefined {
    return this.#items?.get(task);
  }

  /** How far an item is; UNSPECIFIED where there is none, or its task has ended. */
  itemStatus(task: number, item: number): TaskStatus {
    return this.#items?.get(task)?.status(item) ?? TaskStatus.UNSPECIFIED;
  }

  /** The tasks that depend on a task. */
  successorsOf(task: number): readonly number[] {
    return this.#successors.slice(this.#offsets[task], this.#offsets[task + 1]);
  }

  /** For a snapshot. */
  state(): MachineState {
    const { waitsFor, tainted } = this.#frontier.state();
    return create(MachineStateSchema, {
      phase: this.#phase,
      paused: this.#paused,
      failed: this.#failed,
      outcome: this.#outcome,
      lastSeq: this.#lastSeq,
      statuses: Uint8Array.from(this.#status),
      attempts: this.#attempt.slice(),
      waitsFor,
      tainted,
      retries: waitsToProto(this.#waits),
      consents: this.#consents?.state() ?? [],
      items: [...(this.#items?.values() ?? [])].map((items) => items.state()),
      deadlineMs: this.#deadlineMs,
    });
  }

  /** The machine of a snapshot; undefined where the state does not fit the run. */
  static restore({ started, runId, state }: MachineSnapshot): RunMachine | undefined {
    const machine = new RunMachine();
    if (started.machineVersion > MACHINE_VERSION || !machine.#load(started, runId)) return undefined;
    const count = machine.taskCount;
    const lists = [state.statuses, state.attempts, state.waitsFor];
    if (lists.some(({ length }) => length !== count)) return undefined;
    machine.#phase = state.phase;
    machine.#paused = state.paused;
    machine.#failed = state.failed;
    machine.#outcome = state.outcome;
    machine.#lastSeq = state.lastSeq;
    machine.#deadlineMs = state.deadlineMs;
    machine.#status = [...state.statuses];
    machine.#attempt = state.attempts;
    machine.#open = machine.#status.filter((status) => !ended(status)).length;
    machine.#frontier = new Frontier(state.waitsFor, knows(started) ? started.workflow!.tasks : []);
    machine.#frontier.taint(state.tainted);
    machine.#waits = waitsFromProto(state.retries);
    if (state.consents.length > 0) machine.#consents = Consents.restore(state.consents);
    if (state.items.length > 0)
      machine.#items = new Map(
        state.items.map((items) => [items.task, TaskItems.restore(items, machine.#priorities[items.task] ?? 0)]),
      );
    return machine;
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
    const commands = this.#status.flatMap((status, task) => this.#inFlight(task, status)).sort(byPriority);
    return this.#withTimeout(commands);
  }

  #inFlight(task: number, status: number): Command[] {
    if (status === SKIPPING) return [{ kind: "skip", task, cause: SkipCause.UPSTREAM }];
    if (ended(status)) return [];
    if (this.#phase === CANCELLING) return this.#cancelTask(task, status);
    if (status === TaskStatus.PENDING) return [];
    if (status === TaskStatus.WAITING_RETRY) return [this.#scheduleRetry(task)];
    if (status === TaskStatus.WAITING_APPROVAL) return [this.#consents!.wait(task)];
    const items = this.#items?.get(task);
    if (items !== undefined) return items.settled ? [this.#completeTask(task, items)] : items.inFlight(this.#paused);
    return this.#underWay(task) ? [this.#begin(task)] : [];
  }

  #dispatch(event: Event): Command[] | undefined {
    const { kind } = event;
    if (kind.case === "runStarted") return this.#runStarted(kind.value, event);
    if (this.#phase === IDLE) return undefined;
    switch (kind.case) {
      case "taskStarted":
        return this.#taskStarted(kind.value);
      case "taskCompleted":
        return kind.value.item > 0 ? this.#itemCompleted(kind.value) : this.#taskCompleted(kind.value);
      case "taskFailed":
        return kind.value.item > 0 ? this.#itemFailed(kind.value, event) : this.#taskFailed(kind.value, event);
      case "taskSkipped":
        return this.#taskSkipped(kind.value.task, kind.value.cause);
      case "taskRetryDue":
        return this.#retryDue(kind.value.task, kind.value.item);
      case "taskExpanded":
        return this.#taskExpanded(kind.value);
      case "approvalRequested":
        return this.#approvalRequested(kind.value.task, deadlineOf(kind.value));
      case "approvalEscalated":
        return this.#approvalEscalated(kind.value.task, deadlineOf(kind.value));
      case "approvalDecided":
        return this.#approvalDecided(kind.value.task, kind.value.status);
      case "taskCancelled":
        return this.#taskCancelled(kind.value.task);
      case "runPaused":
        return this.#runPaused();
      case "runResumed":
        return this.#runResumed();
      case "runCancelRequested":
        return this.#phase === RUNNING ? this.#cancelOpen() : undefined;
      case "runTimedOut":
        return this.#runTimedOut();
      case "runCompleted":
        return this.#runCompleted(kind.value.status);
      default:
        return undefined;
    }
  }

  #runStarted(started: RunStarted, { runId, time }: Event): Command[] | undefined {
    if (this.#phase !== IDLE || started.machineVersion > MACHINE_VERSION) return undefined;
    this.#phase = RUNNING;
    // A journal whose plan is broken can make no step; the run must still end, and say so.
    if (!this.#load(started, runId)) return this.#complete(RunStatus.FAILED);
    if (this.#open === 0) return this.#complete(RunStatus.SUCCEEDED);
    const timeout = knows(started) ? started.workflow?.timeout : undefined;
    if (timeout !== undefined) this.#deadlineMs = (time === undefined ? 0 : millis(time)) + millis(timeout);
    const commands: Command[] = [];
    for (const task of started.plan!.order) if (this.#frontier.isFree(task)) this.#free(task, commands);
    return this.#withTimeout(commands.sort(byPriority));
  }

  #load(started: RunStarted, runId: string): boolean {
    this.#runId = runId;
    const { plan, workflow } = started;
    if (plan === undefined || plan.inDegrees.length !== workflow?.tasks.length || !isConsistent(plan)) return false;
    const count = plan.inDegrees.length;
    this.#offsets = plan.successorOffsets;
    this.#successors = plan.successors;
    this.#priorities = plan.priorities;
    this.#attempt = new Array<number>(count).fill(0);
    this.#status = new Array<number>(count).fill(TaskStatus.PENDING);
    this.#open = count;
    this.#frontier = new Frontier(plan.inDegrees.slice(), knows(started) ? workflow.tasks : []);
    this.#failFast = knows(started) && workflow.onFailure === "fail_fast";
    if (started.reused.length > 0) this.#reused = new Set(started.reused);
    return true;
  }

  #taskStarted({ task, attempt, item }: TaskStarted): Command[] | undefined {
    if (this.#paused) return undefined;
    if (item > 0) return this.#itemsOf(task)?.started(item, attempt) ? [] : undefined;
    if (this.#status[task] !== TaskStatus.READY || this.#attempt[task] !== attempt) return undefined;
    this.#status[task] = TaskStatus.RUNNING;
    return [];
  }

  #taskCompleted({ task, attempt }: TaskCompleted): Command[] | undefined {
    if (!this.#underWay(task) || this.#attempt[task] !== attempt) return undefined;
    const items = this.#itemsOf(task);
    if (items !== undefined && (!items.settled || items.failed > 0)) return undefined;
    this.#end(task, TaskStatus.SUCCEEDED);
    return this.#orComplete(this.#advance(task, WELL));
  }

  #taskFailed({ task, attempt, retryAfter }: TaskFailed, event: Event): Command[] | undefined {
    if (!this.#underWay(task)) return undefined;
    // Attempt 0: it failed before any attempt began.
    const early = attempt === 0 && this.#attempt[task] === 1 && this.#status[task] === TaskStatus.READY;
    if (this.#attempt[task] !== attempt && !early) return undefined;
    const items = this.#itemsOf(task);
    if (items !== undefined) return items.settled ? this.#fail(task) : undefined;
    // Nothing is tried again in a run that is being cancelled.
    if (retryAfter === undefined || this.#phase !== RUNNING) return this.#fail(task);
    this.#status[task] = TaskStatus.WAITING_RETRY;
    this.#waits ??= new Map();
    this.#waits.set(task, waitOf(event, retryAfter));
    return [this.#scheduleRetry(task)];
  }

  #taskSkipped(task: number, cause: SkipCause): Command[] | undefined {
    const status = this.#status[task];
    const byCondition = cause === SkipCause.CONDITION;
    if (status === undefined || status !== (byCondition ? TaskStatus.READY : SKIPPING)) return undefined;
    if (byCondition && this.#paused) return undefined;
    this.#end(task, TaskStatus.SKIPPED);
    return this.#orComplete(this.#advance(task, byCondition ? SKIPPED : this.#frontier.endOfSkipped(task)));
  }

  #retryDue(task: number, item: number): Command[] | undefined {
    if (this.#phase !== RUNNING) return undefined;
    const commands: Command[] = [];
    if (item > 0) {
      const command = this.#itemsOf(task)?.due(item);
      if (command === undefined) return undefined;
      if (!this.#paused) commands.push(command);
    } else {
      if (this.#status[task] !== TaskStatus.WAITING_RETRY) return undefined;
      this.#waits?.delete(task);
      this.#free(task, commands);
    }
    return commands;
  }

  #taskExpanded({ task, count, maxConcurrency }: TaskExpanded): Command[] | undefined {
    const begins = this.#phase === RUNNING && !this.#paused && this.#status[task] === TaskStatus.READY;
    if (!begins || count > MAX_ITEMS) return undefined;
    this.#status[task] = TaskStatus.RUNNING;
    const items = new TaskItems({ task, priority: this.#priorities[task]!, total: count, limit: maxConcurrency });
    this.#items ??= new Map();
    this.#items.set(task, items);
    return items.settled ? [this.#completeTask(task, items)] : items.fill();
  }

  #itemCompleted({ task, item, attempt }: TaskCompleted): Command[] | undefined {
    const items = this.#itemsOf(task);
    if (items === undefined || !this.#itemUnderWay(items, item) || items.attempt(item) !== attempt) return undefined;
    items.completed(item);
    return this.#afterItem(task, items);
  }

  #itemFailed({ task, item, attempt, retryAfter }: TaskFailed, event: Event): Command[] | undefined {
    const items = this.#itemsOf(task);
    if (items === undefined || !this.#itemUnderWay(items, item)) return undefined;
    const early = attempt === 0 && items.attempt(item) === 1 && items.status(item) === TaskStatus.READY;
    if (items.attempt(item) !== attempt && !early) return undefined;
    if (retryAfter !== undefined && this.#phase === RUNNING) return [items.retry(item, waitOf(event, retryAfter))];
    items.fail(item);
    return this.#afterItem(task, items);
  }

  #afterItem(task: number, items: TaskItems): Command[] {
    if (this.#phase === CANCELLING) return items.active === 0 ? items.cancel() : [];
    if (items.settled) return [this.#completeTask(task, items)];
    return this.#paused ? [] : items.fill();
  }

  #approvalRequested(task: number, deadlineMs: number | undefined): Command[] | undefined {
    const asks = this.#phase === RUNNING && !this.#paused && this.#status[task] === TaskStatus.READY;
    if (!asks || this.#consents?.has(task)) return undefined;
    this.#status[task] = TaskStatus.WAITING_APPROVAL;
    this.#consents ??= new Consents();
    this.#consents.request(task, deadlineMs);
    return [this.#consents.wait(task)];
  }

  #approvalEscalated(task: number, deadlineMs: number | undefined): Command[] | undefined {
    if (!this.#undecided(task) || !this.#consents!.escalate(task, deadlineMs)) return undefined;
    return [this.#consents!.wait(task)];
  }

  #approvalDecided(task: number, status: ApprovalStatus): Command[] | undefined {
    if (!this.#undecided(task)) return undefined;
    if (status === ApprovalStatus.REJECTED || status === ApprovalStatus.EXPIRED) return this.#fail(task);
    if (status !== ApprovalStatus.APPROVED) return undefined;
    this.#consents!.approve(task);
    this.#status[task] = TaskStatus.READY;
    return this.#paused ? [] : [this.#begin(task)];
  }

  #undecided(task: number): boolean {
    return this.#phase === RUNNING && this.#status[task] === TaskStatus.WAITING_APPROVAL;
  }

  #taskCancelled(task: number): Command[] | undefined {
    const status = this.#status[task];
    if (this.#phase !== CANCELLING || status === undefined || ended(status)) return undefined;
    this.#end(task, TaskStatus.CANCELLED);
    return this.#orComplete([]);
  }

  #runPaused(): Command[] | undefined {
    if (this.#phase !== RUNNING || this.#paused) return undefined;
    this.#paused = true;
    const commands: Command[] = [];
    this.#status.forEach((status, task) => {
      if (status === TaskStatus.READY)
        commands.push({ kind: "withdraw", task, item: 0, attempt: this.#attempt[task]! });
    });
    for (const items of this.#items?.values() ?? []) commands.push(...items.withdraw());
    return commands;
  }

  #runResumed(): Command[] | undefined {
    if (this.#phase !== RUNNING || !this.#paused) return undefined;
    this.#paused = false;
    const commands: Command[] = [];
    this.#status.forEach((status, task) => {
      if (status === TaskStatus.READY) commands.push(this.#begin(task));
    });
    for (const items of this.#items?.values() ?? []) commands.push(...items.release());
    return commands.sort(byPriority);
  }

  #runTimedOut(): Command[] | undefined {
    if (this.#phase !== RUNNING) return undefined;
    this.#failed = true;
    return this.#cancelOpen();
  }

  #cancelOpen(): Command[] {
    this.#phase = CANCELLING;
    this.#paused = false;
    this.#waits = undefined;
    return this.#status.flatMap((status, task) =>
      status === SKIPPING || ended(status) ? [] : this.#cancelTask(task, status),
    );
  }

  // A fact, even where the machine did not ask for it: terminating a run must always work.
  #runCompleted(status: RunStatus): Command[] {
    this.#phase = DONE;
    this.#outcome = status;
    return [];
  }

  /** The task may run: it is dispatched, or held where the run is paused. */
  #free(task: number, into: Command[]): void {
    this.#status[task] = TaskStatus.READY;
    this.#attempt[task]!++;
    if (!this.#paused) into.push(this.#begin(task));
  }

  #begin(task: number): Command {
    const attempt = this.#attempt[task]!;
    if (this.#reused?.has(task)) return { kind: "reuse", task, attempt };
    return { kind: "dispatch", task, attempt, item: 0, priority: this.#priorities[task]! };
  }

  #cancelTask(task: number, status: number): CancelTaskCommand[] {
    const items = this.#itemsOf(task);
    if (items !== undefined) return items.cancel();
    const begun = status === TaskStatus.READY || status === TaskStatus.RUNNING;
    return [{ kind: "cancelTask", task, item: 0, attempt: begun ? this.#attempt[task]! : 0 }];
  }

  #scheduleRetry(task: number): Command {
    const { afterMs, dueMs } = this.#waits!.get(task)!;
    return { kind: "scheduleRetry", task, item: 0, attempt: this.#attempt[task]!, afterMs, dueMs };
  }

  #completeTask(task: number, { failed, firstFailed }: TaskItems): Command {
    const attempt = this.#attempt[task]!;
    return { kind: "completeTask", task, attempt, failed: failed > 0, failedItem: firstFailed };
  }

  #withTimeout(commands: Command[]): Command[] {
    if (this.#deadlineMs > 0 && this.#phase === RUNNING)
      commands.push({ kind: "scheduleRunTimeout", dueMs: this.#deadlineMs });
    return commands;
  }

  /** The task has failed for good. In a run that is being cancelled that is fallout. */
  #fail(task: number): Command[] {
    this.#failed ||= this.#phase === RUNNING;
    this.#end(task, TaskStatus.FAILED);
    if (this.#failFast && this.#phase === RUNNING) return this.#orComplete(this.#cancelOpen());
    return this.#orComplete(this.#advance(task, TAINTED));
  }

  /** What the end of a task means to those behind it. */
  #advance(task: number, end: number): Command[] {
    const commands: Command[] = [];
    const close = this.#offsets[task + 1]!;
    for (let i = this.#offsets[task]!; i < close; i++) {
      const next = this.#successors[i]!;
      const verdict = this.#frontier.arrive(next, end);
      if (verdict === WAIT || this.#status[next] !== TaskStatus.PENDING || this.#phase !== RUNNING) continue;
      if (verdict === READY) this.#free(next, commands);
      else commands.push(this.#skip(next));
    }
    return commands.length > 1 ? commands.sort(byPriority) : commands;
  }

  #skip(task: number): Command {
    this.#status[task] = SKIPPING;
    return { kind: "skip", task, cause: SkipCause.UPSTREAM };
  }

  /** The items of a task that is at work on them. */
  #itemsOf(task: number): TaskItems | undefined {
    return this.#items?.get(task);
  }

  // What is ready is not under way while the run is paused: its dispatch was taken back.
  #underWay(task: number): boolean {
    const status = this.#status[task];
    return status === TaskStatus.RUNNING || (status === TaskStatus.READY && !this.#paused);
  }

  #itemUnderWay(items: TaskItems, item: number): boolean {
    const status = items.status(item);
    return status === TaskStatus.RUNNING || (status === TaskStatus.READY && !this.#paused);
  }

  #end(task: number, status: TaskStatus): void {
    this.#status[task] = status;
    this.#items?.delete(task);
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

// What version 1 did not know has no say in its journals.
function knows({ machineVersion }: RunStarted): boolean {
  return machineVersion >= 2;
}

function ended(status: number): boolean {
  return status >= TaskStatus.SUCCEEDED && status <= TaskStatus.CANCELLED;
}

function waitOf({ time }: Event, retryAfter: Duration): Wait {
  const afterMs = Math.max(0, millis(retryAfter));
  return { afterMs, dueMs: (time === undefined ? 0 : millis(time)) + afterMs };
}

function deadlineOf({ deadline }: { deadline?: Timestamp }): number | undefined {
  return deadline === undefined ? undefined : millis(deadline);
}
