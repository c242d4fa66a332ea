import { type ApprovalState, ApprovalStatus, type TaskState, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { visible, visibleProse } from "./visible.ts";

/** What a reader has to know of how a task came about: taken over from another run, item by item, by somebody's consent. Mostly empty. */
export function taskNote(task: TaskState): string {
  const { reusedFrom, items, childRunId, approval, status } = task;
  const notes = [
    reusedFrom && `taken over from run ${visible(reusedFrom)}`,
    items && `${items.succeeded} of ${items.total} items${items.failed > 0 ? `, ${items.failed} failed` : ""}`,
    childRunId && `run ${visible(childRunId)}`,
    approval && consent(approval, status),
  ];
  return notes.filter(Boolean).join("; ");
}

function consent({ status, decidedBy, reason, approvers, escalated }: ApprovalState, task: TaskStatus): string {
  const words = reason ? `: ${visibleProse(reason)}` : "";
  switch (status) {
    case ApprovalStatus.APPROVED:
      return `approved by ${visible(decidedBy)}${words}`;
    case ApprovalStatus.REJECTED:
      return `denied by ${visible(decidedBy)}${words}`;
    case ApprovalStatus.EXPIRED:
      return "nobody consented in time";
    default: {
      if (task !== TaskStatus.WAITING_APPROVAL) return "nobody was asked to the end";
      const who = approvers.map(visible).join(", ") || "anybody but the one who started the run";
      return `waits for the consent of ${who}${escalated ? ", having escalated" : ""}`;
    }
  }
}
