import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { type Duration, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Permissions } from "@odg/expert-plugin-api";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ExecuteRequest, ExecuteResponse, Result } from "@odg/proto/odg/expert/v1/expert_pb";
import { type Finding, FindingSchema } from "@odg/proto/odg/expert/v1/finding_pb";
import { EphemeralSchema, type TaskCompleted, TaskCompletedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import type { ExpertInstance } from "../expert/registry.ts";
import type { ActiveRun } from "./active-run.ts";
import { redactJson, redactText } from "./redact.ts";

/** Longest time of one attempt where the task names none. */
export const DEFAULT_TIMEOUT_MS = 600_000;

/** What one attempt needs. */
export interface AttemptOptions {
  run: ActiveRun;
  task: number;
  instance: ExpertInstance;
  request: ExecuteRequest;
  signal: AbortSignal;
  permissions: Permissions;
  /** Addresses that may be read in a report. */
  allowed: () => ReadonlySet<string>;
}

/**
 * Runs one attempt over the expert's service: passes on what it says, collects what it finds, and answers the outcome.
 *
 * @throws ConnectError with the expert's reason, DEADLINE_EXCEEDED, or OUTPUT_INVALID where the stream ends without a result.
 */
export async function perform({
  run,
  task,
  instance,
  request,
  signal,
  allowed,
  permissions,
}: AttemptOptions): Promise<TaskCompleted> {
  const wantedMs = timeoutOf(run.task(task).timeout);
  const permittedMs = permissions.time_s * 1000;
  const timeoutMs = Math.min(wantedMs, permittedMs);
  const timeout = AbortSignal.timeout(timeoutMs);
  const findings: Finding[] = [];
  let result: Result | undefined;
  try {
    const messages = instance.client.execute(request, { signal: AbortSignal.any([signal, timeout]) });
    for await (const { message } of messages) {
      if (message.case === "result") result = message.value;
      else hear(message, { run, taskId: request.taskId, findings, allowed });
    }
  } catch (error) {
    if (timeout.aborted && !signal.aborted) {
      throw reject(Reason.DEADLINE_EXCEEDED, {
        message: `${instance.id} did not end within ${timeoutMs / 1000} s`,
        subject: permittedMs < wantedMs ? "odg.permissions.time_s" : `tasks.${request.taskId}.timeout`,
        cause: error,
      });
    }
    throw error;
  }
  if (!result) {
    throw reject(Reason.OUTPUT_INVALID, {
      message: `${instance.id} ended its stream without a result`,
      retryable: true,
    });
  }
  return completed({ task, attempt: request.attempt, result, findings, allowed: allowed() });
}

interface Ear {
  run: ActiveRun;
  taskId: string;
  findings: Finding[];
  allowed: () => ReadonlySet<string>;
}

function hear(message: ExecuteResponse["message"], { run, taskId, findings, allowed }: Ear): void {
  switch (message.case) {
    case "finding": {
      const finding = redactFinding(message.value, allowed());
      finding.id = `${taskId}#${findings.length + 1}`;
      findings.push(finding);
      if (run.feed.watched) run.show(create(EphemeralSchema, { taskId, kind: { case: "finding", value: finding } }));
      return;
    }
    case "progress":
    case "log": {
      if (!run.feed.watched) return;
      message.value.message = redactText(message.value.message, allowed());
      run.show(create(EphemeralSchema, { taskId, kind: message }));
      return;
    }
  }
}

interface Outcome {
  task: number;
  attempt: number;
  result: Result;
  findings: Finding[];
  allowed: ReadonlySet<string>;
}

function completed({ task, attempt, result, findings, allowed }: Outcome): TaskCompleted {
  const redact = (value: Result["output"]) =>
    value && fromJson(ValueSchema, redactJson(toJson(ValueSchema, value), allowed));
  return create(TaskCompletedSchema, {
    task,
    attempt,
    output: redact(result.output),
    findings,
    contextWrites: result.contextWrites.map((write) => ({ ...write, value: redact(write.value) })),
    summary: redactText(result.summary, allowed),
  });
}

function redactFinding(finding: Finding, allowed: ReadonlySet<string>): Finding {
  return fromJson(FindingSchema, redactJson(toJson(FindingSchema, finding), allowed) as JsonObject);
}

function timeoutOf(timeout: Duration | undefined): number {
  return timeout ? Number(timeout.seconds) * 1000 + timeout.nanos / 1e6 : DEFAULT_TIMEOUT_MS;
}
