import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Event, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type MachineState, RunPhase } from "@odg/proto/odg/run/v1/snapshot_pb";
import { byPriority, type Command } from "./command.ts";
import type { ItemNumbers } from "./items.ts";
import { type MachineSnapshot, stateFromProto, stateToProto } from "./machine-snapshot.ts";
import { runCancelRequested, runCompleted, runPaused, runResumed, runStarted, runTimedOut } from "./on-run.ts";
import {
  approvalDecided,
  approvalEscalated,
  approvalRequested,
  itemCompleted,
  itemFailed,
  retryDue,
  taskCancelled,
  taskCompleted,
  taskExpanded,
  taskFailed,
  taskSkipped,
  taskStarted,
} from "./on-task.ts";
import { RunState, SKIPPING } from "./run-state.ts";
import { millis } from "./wait.ts";

export { MACHINE_VERSION } from "./run-state.ts";

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

const { UNSPECIFIED: IDLE, CANCELLING, COMPLETING, DONE } = RunPhase;

/**
 * The state of one run: events in, commands out. It holds no clock and does no IO; the driver appends an event durably, applies it,
 * then performs the commands, whose outcomes are new events.
 */
export class RunMachine {
  #state = new RunState();

  /** Number of tasks; 0 before RunStarted. */
  get taskCount(): number {
    return this.#state.status.length;
  }

  /** Tasks that have not ended. */
  get openTasks(): number {
    return this.#state.open;
  }

  /** Whether the run is paused: nothing new begins. */
  get paused(): boolean {
    return this.#state.paused && this.#state.phase !== DONE;
  }

  /** RUNNING or PAUSED from RunStarted to RunCompleted, then as that event says; UNSPECIFIED before. */
  get runStatus(): RunStatus {
    if (this.#state.phase === IDLE) return RunStatus.UNSPECIFIED;
    if (this.#state.phase === DONE) return this.#state.outcome;
    return this.paused ? RunStatus.PAUSED : RunStatus.RUNNING;
  }

  /** True once what is open is being cancelled (by someone, by the time, or because the workflow fails fast), until all has ended. */
  get cancelling(): boolean {
    return this.#state.phase === CANCELLING;
  }

  /** When the run must have ended, in Unix milliseconds; undefined for no limit. */
  get deadlineMs(): number | undefined {
    return this.#state.deadlineMs || undefined;
  }

  /** How far a task is; UNSPECIFIED where there is no such task. */
  status(task: number): TaskStatus {
    const status = this.#state.status[task];
    if (status === undefined) return TaskStatus.UNSPECIFIED;
    return status === SKIPPING ? TaskStatus.PENDING : status;
  }

  /** The newest attempt that was dispatched, from 1; 0 where none was. */
  attempt(task: number): number {
    return this.#state.attempt[task] ?? 0;
  }

  /** Whether the consent that the task waits for was granted. */
  approved(task: number): boolean {
    return this.#state.consents?.approved(task) ?? false;
  }

  /** How the items of a task stand; undefined where it has none, or has ended. */
  items(task: number): ItemNumbers | undefined {
    return this.#state.items?.get(task);
  }

  /** How far an item is; UNSPECIFIED where there is none, or its task has ended. */
  itemStatus(task: number, item: number): TaskStatus {
    return this.#state.items?.get(task)?.status(item) ?? TaskStatus.UNSPECIFIED;
  }

  /** The tasks that depend on a task. */
  successorsOf(task: number): readonly number[] {
    return this.#state.successors.slice(this.#state.offsets[task], this.#state.offsets[task + 1]);
  }

  /** For a snapshot. */
  state(): MachineState {
    return stateToProto(this.#state);
  }

  /** The machine of a snapshot; undefined where the state does not fit the run. */
  static restore(snapshot: MachineSnapshot): RunMachine | undefined {
    const state = stateFromProto(snapshot);
    if (state === undefined) return undefined;
    const machine = new RunMachine();
    machine.#state = state;
    return machine;
  }

  /** Takes one event of the journal; answers what is to be done because of it, tasks of higher priority first. Never throws. */
  apply(event: Event): Command[] {
    return this.tryApply(event) ?? [];
  }

  /** As {@link apply}, but undefined where the event was refused: stale, duplicate, early, of another run, or of no concern here. */
  tryApply(event: Event): Command[] | undefined {
    if (this.#state.phase === DONE) return undefined;
    if (event.seq !== 0n && event.seq <= this.#state.lastSeq) return undefined;
    if (this.#state.phase !== IDLE && event.runId !== this.#state.runId) return undefined;
    const commands = this.#take(event);
    if (commands !== undefined && event.seq !== 0n) this.#state.lastSeq = event.seq;
    return commands;
  }

  /** The commands whose outcome no event has told yet, in an order in which they may be performed again after a replay. */
  pending(): Command[] {
    if (this.#state.phase === IDLE || this.#state.phase === DONE) return [];
    if (this.#state.phase === COMPLETING) return [{ kind: "completeRun", status: this.#state.outcome }];
    const commands = this.#state.status.flatMap((status, task) => this.#state.inFlight(task, status)).sort(byPriority);
    return this.#state.withTimeout(commands);
  }

  #take(event: Event): Command[] | undefined {
    const { kind } = event;
    if (kind.case === "runStarted") return runStarted(this.#state, kind.value, event);
    if (this.#state.phase === IDLE) return undefined;
    switch (kind.case) {
      case "taskStarted":
        return taskStarted(this.#state, kind.value);
      case "taskCompleted":
        return kind.value.item > 0 ? itemCompleted(this.#state, kind.value) : taskCompleted(this.#state, kind.value);
      case "taskFailed":
        return kind.value.item > 0
          ? itemFailed(this.#state, kind.value, event)
          : taskFailed(this.#state, kind.value, event);
      case "taskSkipped":
        return taskSkipped(this.#state, kind.value.task, kind.value.cause);
      case "taskRetryDue":
        return retryDue(this.#state, kind.value.task, kind.value.item);
      case "taskExpanded":
        return taskExpanded(this.#state, kind.value);
      case "approvalRequested":
        return approvalRequested(this.#state, kind.value.task, deadlineOf(kind.value));
      case "approvalEscalated":
        return approvalEscalated(this.#state, kind.value.task, deadlineOf(kind.value));
      case "approvalDecided":
        return approvalDecided(this.#state, kind.value.task, kind.value.status);
      case "taskCancelled":
        return taskCancelled(this.#state, kind.value.task);
      case "runPaused":
        return runPaused(this.#state);
      case "runResumed":
        return runResumed(this.#state);
      case "runCancelRequested":
        return runCancelRequested(this.#state);
      case "runTimedOut":
        return runTimedOut(this.#state);
      case "runCompleted":
        return runCompleted(this.#state, kind.value.status);
      default:
        return undefined;
    }
  }
}

function deadlineOf({ deadline }: { deadline?: Timestamp }): number | undefined {
  return deadline === undefined ? undefined : millis(deadline);
}
