import { clone, create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  ApprovalDecidedSchema,
  ApprovalEscalatedSchema,
  ApprovalRequestedSchema,
  type ApprovalState,
  ApprovalStateSchema,
  ApprovalStatus,
  type Run,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import type { ActiveRun, EventKind } from "./active-run.ts";
import { msOf } from "./attempt-limits.ts";

/** What a person says to a consent. */
export interface Decision {
  taskId: string;
  approve: boolean;
  /** In the decider's words. */
  reason: string;
  user: string;
}

/** Name of the timer of a consent. */
export function approvalName(task: number): string {
  return `approval ${task}`;
}

/** The event by which a task asks for consent. */
export function approvalRequested(run: ActiveRun, task: number, question: string): EventKind {
  const { approvers = [], deadline } = run.task(task).approval ?? {};
  const ms = msOf(deadline);
  const value = create(ApprovalRequestedSchema, {
    task,
    question,
    approvers,
    ...(ms === undefined ? {} : { deadline: timestampFromMs(run.now() + ms) }),
  });
  return { case: "approvalRequested", value };
}

/** Nobody decided in time: asks more people where the workflow names some, or ends the waiting. */
export function approvalDue(run: ActiveRun, task: number): void {
  const state = run.projection.run().tasks[task]?.approval;
  const { escalateTo = [], deadline } = run.task(task).approval ?? {};
  if (escalateTo.length === 0 || state?.escalated) {
    const value = create(ApprovalDecidedSchema, { task, status: ApprovalStatus.EXPIRED });
    run.record({ case: "approvalDecided", value });
    return;
  }
  // Nobody named is anybody: that cannot become more.
  const approvers = state?.approvers.length ? [...new Set([...state.approvers, ...escalateTo])] : [];
  const value = create(ApprovalEscalatedSchema, {
    task,
    approvers,
    deadline: timestampFromMs(run.now() + (msOf(deadline) ?? 0)),
  });
  run.record({ case: "approvalEscalated", value });
}

/**
 * Decides a consent; the same decision again answers the first.
 *
 * @throws ConnectError with NOT_FOUND, POLICY_DENIED, or STATE_INVALID where it is too late, or decided otherwise
 */
export async function decide(run: ActiveRun, decision: Decision): Promise<ApprovalState> {
  const decided = judge(run.projection.run(), decision);
  if (decided) return decided;
  const value = create(ApprovalDecidedSchema, {
    task: run.numberOf(decision.taskId) ?? 0,
    status: decision.approve ? ApprovalStatus.APPROVED : ApprovalStatus.REJECTED,
    decidedBy: decision.user,
    reason: decision.reason,
  });
  const accepted = await new Promise<boolean>((then) => run.record({ case: "approvalDecided", value }, { then }));
  if (accepted) run.timers.cancel(approvalName(value.task));
  const now = judge(run.projection.run(), decision);
  if (now) return now;
  throw reject(Reason.UNAVAILABLE, {
    message: `the decision was ${accepted ? "recorded and is not to be seen" : "not recorded"}: ask again`,
    retryAfterMs: 1000,
  });
}

/**
 * The consent where that very decision was made before; nothing where it may be made now.
 *
 * @throws ConnectError with NOT_FOUND, POLICY_DENIED, or STATE_INVALID
 */
export function judge(run: Run, { taskId, approve, user }: Decision): ApprovalState | undefined {
  const task = run.tasks.find((one) => one.taskId === taskId);
  if (!task) throw reject(Reason.NOT_FOUND, { message: "the run has no such task", field: "task_id" });
  const { approval } = task;
  if (!approval) throw tooLate("the task does not ask for consent now");
  mayDecide(approval, { user, requester: run.user });
  const wanted = approve ? ApprovalStatus.APPROVED : ApprovalStatus.REJECTED;
  if (approval.status === wanted) return clone(ApprovalStateSchema, approval);
  switch (approval.status) {
    case ApprovalStatus.PENDING:
      if (run.endTime || task.status !== TaskStatus.WAITING_APPROVAL) throw tooLate("the task does not wait any more");
      return undefined;
    case ApprovalStatus.EXPIRED:
      throw tooLate("nobody decided in time; the task has failed");
    default:
      throw reject(Reason.STATE_INVALID, {
        message: `it was ${approve ? "denied" : "granted"} before, by ${approval.decidedBy}`,
        field: "approve",
        code: Code.Aborted,
      });
  }
}

function tooLate(message: string) {
  return reject(Reason.STATE_INVALID, { message, field: "task_id" });
}

function mayDecide({ approvers }: ApprovalState, { user, requester }: { user: string; requester: string }): void {
  if (!user) {
    throw reject(Reason.POLICY_DENIED, {
      message: "a consent is given by somebody with a name",
      hint: "Send the header odg-user, or use `odg approve --user NAME`.",
    });
  }
  if (user === requester) {
    throw reject(Reason.POLICY_DENIED, { message: "who started a run does not decide about it: ask somebody else" });
  }
  if (approvers.length === 0 || approvers.includes(user)) return;
  throw reject(Reason.POLICY_DENIED, { message: "the workflow names others who may decide this" });
}
