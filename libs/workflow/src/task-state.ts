import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type {
  ApprovalDecided,
  ApprovalRequested,
  ItemCounts,
  Run,
  TaskCount,
  TaskState,
} from "@odg/proto/odg/run/v1/run_pb";
import {
  ApprovalStateSchema,
  ApprovalStatus,
  ItemCountsSchema,
  RunStatus,
  SkipCause,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { ItemNumbers } from "./items.ts";

/** A run of which nothing is known yet. A literal, as below. */
export function emptyRun(): Run {
  return {
    $typeName: "odg.run.v1.Run",
    runId: "",
    workflowId: "",
    workflowVersion: "",
    status: RunStatus.UNSPECIFIED,
    inputs: undefined,
    createTime: undefined,
    endTime: undefined,
    tasks: [],
    failure: undefined,
    labels: {},
    lastSeq: 0n,
    user: "",
    priority: 0,
    forkedFrom: "",
    parent: undefined,
    taskCounts: [],
    deadline: undefined,
  };
}

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

/** How many tasks of a run are in which state, kept up to date in the run itself. */
export class TaskCounts {
  #list: TaskCount[];
  /** The same, by status; there are three changes for each task, so that finding the entry counts. */
  #byStatus: (TaskCount | undefined)[] = [];

  /** @param list The run's own. A state that was counted once stays in it, be it with 0. */
  constructor(list: TaskCount[]) {
    this.#list = list;
    for (const count of list) this.#byStatus[count.status] = count;
  }

  /** Adds tasks to a state. */
  add(status: TaskStatus, count: number): void {
    const known = this.#byStatus[status];
    if (known !== undefined) {
      known.count += count;
      return;
    }
    const made: TaskCount = { $typeName: "odg.run.v1.TaskCount", status, count };
    this.#byStatus[status] = made;
    this.#list.push(made);
  }
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
