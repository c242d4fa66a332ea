import { toJson } from "@bufbuild/protobuf";
import type { OdgClient } from "@odg/client";
import {
  DecideApprovalResponseSchema,
  ListApprovalsResponseSchema,
  type PendingApproval,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ApprovalStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, table } from "./output.ts";
import { pageSizeOf, when } from "./runs.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of `odg approvals`. */
export interface ApprovalsFlags extends EngineFlags {
  run?: string;
  status: string;
  limit: string;
  pageToken?: string;
}

/** Lists consents, oldest first. Answers the exit code. */
export async function approvals(flags: ApprovalsFlags): Promise<number> {
  const status = statusOf(flags.status);
  const pageSize = pageSizeOf(flags.limit);
  const { client, close } = await connect(flags);
  try {
    const filter = { status, runId: flags.run ?? "" };
    const response = await client.runs.listApprovals({ ...filter, pageSize, pageToken: flags.pageToken ?? "" });
    if (flags.json) printJson(toJson(ListApprovalsResponseSchema, response));
    else if (response.approvals.length === 0) printData(`No consent is ${flags.status}.`);
    else {
      const head = ["RUN", "TASK", "WORKFLOW", "ASKED BY", "SINCE", "UNTIL", "WHO MAY", "QUESTION"];
      printData(table([head, ...response.approvals.map(rowOf)]));
      if (response.nextPageToken) printData(`more: odg approvals --page-token ${response.nextPageToken}`);
    }
    return EXIT.ok;
  } finally {
    await close();
  }
}

function rowOf({ runId, taskId, workflowId, requestedBy, approval }: PendingApproval): string[] {
  const who = approval?.approvers.join(", ") || "anybody else";
  const until = when(approval?.deadline) || "–";
  const question = approval?.question ?? "";
  return [runId, taskId, workflowId, requestedBy || "–", when(approval?.requestTime), until, who, question];
}

/** Flags of `odg approve` and `odg reject`. */
export interface DecideFlags extends EngineFlags {
  reason?: string;
}

export const approve = decide(true);
export const rejectConsent = decide(false);

/** Decides consents of a run: of the tasks that are named, or of the only one that waits. Answers the exit code. */
function decide(grant: boolean) {
  return async (runId: string, tasks: string[], flags: DecideFlags): Promise<number> => {
    const { person: client, close } = await connect(flags);
    try {
      const decided = [];
      for (const taskId of tasks.length > 0 ? tasks : [await onlyTask(client, runId)]) {
        const answer = await client.runs.decideApproval({ runId, taskId, approve: grant, reason: flags.reason ?? "" });
        decided.push(answer);
        if (!flags.json) printData(`${taskId}: ${grant ? "granted" : "denied"} by ${answer.approval?.decidedBy ?? ""}`);
      }
      if (flags.json) printJson(decided.map((one) => toJson(DecideApprovalResponseSchema, one)));
      return EXIT.ok;
    } finally {
      await close();
    }
  };
}

async function onlyTask(client: OdgClient, runId: string): Promise<string> {
  const { approvals: waiting } = await client.runs.listApprovals({ runId, status: ApprovalStatus.PENDING });
  const [first, ...more] = waiting.map(({ taskId }) => taskId);
  if (first === undefined) {
    throw reject(Reason.NOT_FOUND, { message: "no task of this run waits for consent", field: "task_id" });
  }
  if (more.length === 0) return first;
  throw new UsageError(`several tasks of this run wait for consent, name one or more: ${[first, ...more].join(", ")}`);
}

function statusOf(name: string): ApprovalStatus {
  const status = ApprovalStatus[name.toUpperCase() as keyof typeof ApprovalStatus];
  if (status) return status;
  throw new UsageError(`--status ${name}: use pending, approved, rejected or expired`);
}
