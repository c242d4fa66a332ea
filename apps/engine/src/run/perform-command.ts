import { create } from "@bufbuild/protobuf";
import {
  RunCompletedSchema,
  RunTimedOutSchema,
  TaskCancelledSchema,
  TaskRetryDueSchema,
  TaskSkippedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import type {
  CancelTaskCommand,
  Command,
  CompleteTaskCommand,
  DispatchCommand,
  ReuseCommand,
  WithdrawCommand,
} from "@odg/workflow";
import type { ActiveRun } from "./active-run.ts";
import { approvalDue, approvalName } from "./approvals.ts";
import { msOf } from "./attempt-limits.ts";

/** Does the work that the machine asks for. Every command but the last two ends in an outcome that is recorded on the run. */
export interface Performer {
  dispatch(run: ActiveRun, command: DispatchCommand): void;
  /** All items have ended: records how the task has. */
  completeTask(run: ActiveRun, command: CompleteTaskCommand): void;
  /** Records the result that another run came to. */
  reuse(run: ActiveRun, command: ReuseCommand): void;
  /** Stops an attempt; its outcome, should it still come, is not recorded. */
  cancel(run: ActiveRun, command: CancelTaskCommand): void;
  /** Forgets an attempt that has not begun. */
  withdraw(run: ActiveRun, command: WithdrawCommand): void;
}

/** Performs one command of a run's machine: waits by the run's timers, work by the performer, the rest at once. */
export function performCommand(run: ActiveRun, command: Command, performer: Performer): void {
  switch (command.kind) {
    case "dispatch":
      performer.dispatch(run, command);
      return;
    case "reuse":
      performer.reuse(run, command);
      return;
    case "completeTask":
      performer.completeTask(run, command);
      return;
    case "withdraw":
      performer.withdraw(run, command);
      return;
    case "skip": {
      const { task, cause } = command;
      run.record({ case: "taskSkipped", value: create(TaskSkippedSchema, { task, cause }) });
      return;
    }
    case "scheduleRetry": {
      const { task, item, dueMs, afterMs } = command;
      run.timers.set(retryName(command), { dueMs, atMostMs: afterMs }, () =>
        run.record({ case: "taskRetryDue", value: create(TaskRetryDueSchema, { task, item }) }),
      );
      return;
    }
    case "awaitApproval": {
      const { task, deadlineMs } = command;
      if (deadlineMs === undefined) run.timers.cancel(approvalName(task));
      else {
        const atMostMs = msOf(run.task(task).approval?.deadline);
        run.timers.set(approvalName(task), { dueMs: deadlineMs, atMostMs }, () => approvalDue(run, task));
      }
      return;
    }
    case "scheduleRunTimeout": {
      const { timeout } = run.workflow;
      const event = create(RunTimedOutSchema, timeout ? { timeout } : {});
      const due = { dueMs: command.dueMs, atMostMs: msOf(timeout) };
      run.timers.set("run", due, () => run.record({ case: "runTimedOut", value: event }));
      return;
    }
    case "cancelTask":
      cancelTask(run, command, performer);
      return;
    case "completeRun": {
      const { status } = command;
      run.record({ case: "runCompleted", value: create(RunCompletedSchema, { status }) });
      return;
    }
  }
}

function cancelTask(run: ActiveRun, command: CancelTaskCommand, performer: Performer): void {
  const { task } = command;
  run.timers.cancel(retryName(command));
  run.timers.cancel(approvalName(task));
  performer.cancel(run, command);
  run.record({ case: "taskCancelled", value: create(TaskCancelledSchema, { task }) });
}

function retryName({ task, item }: { task: number; item: number }): string {
  return `retry ${task}/${item}`;
}
