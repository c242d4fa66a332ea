import { create, fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import {
  type ExecuteRequest,
  ExecuteRequestSchema,
  type ExecuteResponse,
  ExpertService,
  type LogLine,
  type Progress,
} from "@odg/proto/odg/expert/v1/expert_pb";
import type { Finding } from "@odg/proto/odg/expert/v1/finding_pb";
import type { Expert } from "../expert.ts";
import { type MemoryHostOptions, memoryHost } from "./memory-host.ts";

/** What one action said and answered. */
export interface ActionOutcome {
  output: JsonValue;
  findings: Finding[];
  /** By key. */
  contextWrites: Record<string, JsonValue>;
  progress: Progress[];
  logs: LogLine[];
  summary: string;
}

/** Surroundings of an action in a test. */
export interface RunActionOptions extends MemoryHostOptions {
  /** Outputs of the predecessors by task id. */
  upstream?: Record<string, JsonValue>;
  signal?: AbortSignal;
}

/** The expert's service over an in-memory transport, with a memory host behind it. */
export function expertClient(expert: Expert, options: MemoryHostOptions = {}) {
  return createClient(ExpertService, createRouterTransport(expert.routes({ host: memoryHost(options) })));
}

/** The request for one attempt of an action. */
export function executeRequest(
  actionName: string,
  input: JsonObject,
  upstream: Record<string, JsonValue> = {},
): ExecuteRequest {
  return create(ExecuteRequestSchema, {
    runId: "01900000-0000-7000-8000-000000000000",
    taskId: "task",
    attempt: 1,
    idempotencyKey: "test/task/1",
    action: actionName,
    input,
    upstream: Object.fromEntries(Object.entries(upstream).map(([id, value]) => [id, fromJson(ValueSchema, value)])),
    hostToken: "test",
  });
}

/**
 * Runs one action of an expert over tables in memory, through the same wire messages an engine uses.
 *
 * @throws ConnectError as the engine would see it; Error where the stream ends without a result.
 */
export async function runAction(
  expert: Expert,
  actionName: string,
  input: JsonObject,
  options: RunActionOptions = {},
): Promise<ActionOutcome> {
  const client = expertClient(expert, options);
  const request = executeRequest(actionName, input, options.upstream);
  const outcome = await outcomeOf(client.execute(request, options.signal ? { signal: options.signal } : {}));
  if (!outcome) throw new Error(`${expert.name}.${actionName} ended without a result`);
  return outcome;
}

/** Collects what a stream says; undefined where it ends without a result. */
export async function outcomeOf(messages: AsyncIterable<ExecuteResponse>): Promise<ActionOutcome | undefined> {
  const outcome: ActionOutcome = { output: null, findings: [], contextWrites: {}, progress: [], logs: [], summary: "" };
  let ended = false;
  for await (const { message } of messages) ended = collect(outcome, message) || ended;
  return ended ? outcome : undefined;
}

function collect(outcome: ActionOutcome, message: ExecuteResponse["message"]): boolean {
  switch (message.case) {
    case "finding":
      outcome.findings.push(message.value);
      return false;
    case "progress":
      outcome.progress.push(message.value);
      return false;
    case "log":
      outcome.logs.push(message.value);
      return false;
    case "result":
      outcome.output = message.value.output ? toJson(ValueSchema, message.value.output) : null;
      outcome.summary = message.value.summary;
      for (const { key, value } of message.value.contextWrites) {
        outcome.contextWrites[key] = value ? toJson(ValueSchema, value) : null;
      }
      return true;
    default:
      return false;
  }
}
