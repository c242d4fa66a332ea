import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ApprovalDecided, ApprovalRequested, ItemCounts, Run, TaskState } from "@odg/proto/odg/run/v1/run_pb";
import {
  ApprovalStateSchema,
  ApprovalStatus,
  ItemCountsSchema,
  SkipCause,
  TaskCountSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { ItemNumbers } from "./items.ts";

/**
 * A task that waits for its predecessors. A literal with every field, those that come later included: one shape for all states, and a
 * quarter of the time of `create`.
 */
export function pendingState({ id, expert, action }: Task, pin: string | undefined): TaskState {
  return {
    $typeName: "odg.run.v1.TaskState",
    taskId: id,
    status: TaskStatus.PENDING,
    attempts: 0,
    expert: pin ?? expert,
    action,
    readyTime: undefined,
    startTime: undefined,
    endTime: undefined,
    failure: undefined,
    skipCause: SkipCause.UNSPECIFIED,
    summary: "",
    findingCount: 0,
    output: undefined,
    outputBlob: undefined,
    reusedFrom: "",
    items: undefined,
    approval: undefined,
    childRunId: "",
  };
}

/** Moves one task from one count of the run to another. A state that was counted once stays in the list, be it with 0. */
export function recount({ taskCounts }: Run, from: TaskStatus, to: TaskStatus): void {
  for (const count of taskCounts) if (count.status === from) count.count--;
  const known = taskCounts.find(({ status }) => status === to);
  if (known === undefined) taskCounts.push(create(TaskCountSchema, { status: to, count: 1 }));
  else known.count++;
}

/** How the items of a task stand, as messages have it. */
export function itemCounts({ total, active, succeeded, failed }: ItemNumbers): ItemCounts {
  return create(ItemCountsSchema, { total, active, succeeded, failed });
}

/** A consent that was just asked for. */
export function requestedApproval(
  { question, approvers, deadline }: ApprovalRequested,
  { runId, taskId, time }: { runId: string; taskId: string; time: Timestamp | undefined },
) {
  const status = ApprovalStatus.PENDING;
  const approvalId = `${runId}/${taskId}`;
  return create(ApprovalStateSchema, { approvalId, status, question, approvers, deadline, requestTime: time });
}

/** Why a task has failed whose consent was not granted. */
export function failureOfDecision({ status }: ApprovalDecided, taskId: string): Failure {
  const rejected = status === ApprovalStatus.REJECTED;
  return create(FailureSchema, {
    reason: rejected ? Reason.APPROVAL_REJECTED : Reason.APPROVAL_EXPIRED,
    message: rejected ? "The consent that the task waits for was denied." : "Nobody gave the consent in time.",
    subject: `tasks.${taskId}.approval`,
  });
}
