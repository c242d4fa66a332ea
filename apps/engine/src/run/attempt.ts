import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ExecuteRequest, ExecuteResponse, Result } from "@odg/proto/odg/expert/v1/expert_pb";
import { type Finding, FindingSchema } from "@odg/proto/odg/expert/v1/finding_pb";
import { EphemeralSchema, type TaskCompleted, TaskCompletedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import type { ExpertInstance } from "../expert/registry.ts";
import type { ActiveRun } from "./active-run.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { JobName } from "./job.ts";
import { redactJson, redactText } from "./redact.ts";

/** What one attempt needs. */
export interface AttemptOptions extends JobName {
  run: ActiveRun;
  instance: ExpertInstance;
  request: ExecuteRequest;
  signal: AbortSignal;
  limits: AttemptLimits;
  /** Addresses that may be read in a report. */
  allowed: () => ReadonlySet<string>;
}

/**
 * Runs one attempt over the expert's service: passes on what it says, collects what it finds, and answers the outcome.
 *
 * @throws ConnectError with the expert's reason, DEADLINE_EXCEEDED, or OUTPUT_INVALID where the stream ends without a result.
 */
export async function perform(options: AttemptOptions): Promise<TaskCompleted> {
  const { instance, request, signal, limits, allowed } = options;
  const findings: Finding[] = [];
  let result: Result | undefined;
  try {
    const messages = instance.client.execute(request, { signal });
    for await (const { message } of messages) {
      limits.heard();
      if (message.case === "result") result = message.value;
      else hear(message, { ...options, findings });
    }
  } catch (error) {
    throw limits.error(instance.id, error) ?? error;
  }
  if (!result) {
    throw reject(Reason.OUTPUT_INVALID, {
      message: `${instance.id} ended its stream without a result`,
      retryable: true,
    });
  }
  const { task, item } = options;
  return completed({ task, item, attempt: request.attempt, result, findings, allowed: allowed() });
}

interface Ear extends AttemptOptions {
  findings: Finding[];
}

function hear(message: ExecuteResponse["message"], { run, item, request, findings, allowed }: Ear): void {
  const { taskId } = request;
  switch (message.case) {
    case "finding": {
      const finding = redactFinding(message.value, allowed());
      finding.id = `${taskId}${item > 0 ? `[${item}]` : ""}#${findings.length + 1}`;
      findings.push(finding);
      if (run.feed.watched)
        run.show(create(EphemeralSchema, { taskId, item, kind: { case: "finding", value: finding } }));
      return;
    }
    case "progress":
    case "log": {
      if (!run.feed.watched) return;
      message.value.message = redactText(message.value.message, allowed());
      run.show(create(EphemeralSchema, { taskId, item, kind: message }));
      return;
    }
  }
}

interface Outcome extends JobName {
  attempt: number;
  result: Result;
  findings: Finding[];
  allowed: ReadonlySet<string>;
}

function completed({ task, item, attempt, result, findings, allowed }: Outcome): TaskCompleted {
  const redact = (value: Result["output"]) =>
    value && fromJson(ValueSchema, redactJson(toJson(ValueSchema, value), allowed));
  return create(TaskCompletedSchema, {
    task,
    item,
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
