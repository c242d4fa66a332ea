import type { RunStatus, SkipCause } from "@odg/proto/odg/run/v1/run_pb";

/**
 * Start this attempt of the task. Answered by TaskStarted, then TaskCompleted or TaskFailed; or at once, without TaskStarted, by
 * TaskSkipped (its `when` is false), TaskFailed, ApprovalRequested (where the task has an approval and the machine knows of no consent
 * yet), TaskExpanded (where it has items), or TaskCompleted (an approval alone). An item is answered by the first three of these events.
 *
 * After a replay it comes again for an attempt that was under way; TaskStarted is then refused, and the attempt goes on.
 */
export interface DispatchCommand {
  kind: "dispatch";
  /** The task's number in the workflow. */
  task: number;
  /** From 1. */
  attempt: number;
  /** From 1; 0 for the task itself. */
  item: number;
  /** Tasks on the longest path to an end: who has more goes first. */
  priority: number;
}

/** Take over the result of the task from the run that RunStarted names. Answered by TaskCompleted with `reused_from`. */
export interface ReuseCommand {
  kind: "reuse";
  task: number;
  attempt: number;
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
  /** From 1; 0 for the task itself. */
  item: number;
  /** The attempt that failed. */
  attempt: number;
  /** The whole wait, in milliseconds. */
  afterMs: number;
  /** When the wait is over, in Unix milliseconds by the time of the TaskFailed event: what a driver waits for after a replay. */
  dueMs: number;
}

/** Wait for ApprovalDecided until the deadline, then record ApprovalEscalated, or ApprovalDecided(EXPIRED). */
export interface AwaitApprovalCommand {
  kind: "awaitApproval";
  task: number;
  /** In Unix milliseconds; undefined for no deadline. */
  deadlineMs: number | undefined;
}

/** Record the end of a task whose items have ended. Answered by TaskCompleted, or by TaskFailed where an item failed; both with item 0. */
export interface CompleteTaskCommand {
  kind: "completeTask";
  task: number;
  attempt: number;
  failed: boolean;
  /** The item that failed first; 0 where none did. */
  failedItem: number;
}

/** The run is paused: take back a dispatch that has not begun. No event answers it; TaskStarted is refused from now on. */
export interface WithdrawCommand {
  kind: "withdraw";
  task: number;
  /** From 1; 0 for the task itself. */
  item: number;
  attempt: number;
}

/**
 * Stop the attempt, if one is under way, and record TaskCancelled, which ends the task and with it all its items: of a task with several
 * open items it is accepted once.
 */
export interface CancelTaskCommand {
  kind: "cancelTask";
  task: number;
  /** From 1; 0 for the task itself. */
  item: number;
  /** The attempt that is under way; 0 where none is: not dispatched yet, or waiting to be tried again. */
  attempt: number;
}

/** Wait, then record RunTimedOut. */
export interface ScheduleRunTimeoutCommand {
  kind: "scheduleRunTimeout";
  /** In Unix milliseconds. */
  dueMs: number;
}

/** Record the end of the run. Answered by RunCompleted. */
export interface CompleteRunCommand {
  kind: "completeRun";
  status: RunStatus;
}

/** What the machine asks its driver to do. */
export type Command =
  | DispatchCommand
  | ReuseCommand
  | SkipCommand
  | ScheduleRetryCommand
  | AwaitApprovalCommand
  | CompleteTaskCommand
  | WithdrawCommand
  | CancelTaskCommand
  | ScheduleRunTimeoutCommand
  | CompleteRunCommand;

/** Orders commands: dispatches by their priority, everything else after them. */
export function byPriority(a: Command, b: Command): number {
  return rank(b) - rank(a);
}

// A priority is 1 at least.
function rank(command: Command): number {
  return command.kind === "dispatch" ? command.priority : 0;
}
