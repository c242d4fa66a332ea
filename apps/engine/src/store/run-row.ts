import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { PendingApprovalSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Run, RunSchema, type TaskState } from "@odg/proto/odg/run/v1/run_pb";
import type { ListedApproval } from "./store.ts";

/** A copy for readers: the outputs of the tasks stay in the journal. */
export function withoutOutputs(run: Run): Run {
  const copy = withoutTasks(run);
  copy.tasks = run.tasks.map(withoutOutput);
  return copy;
}

/** A copy for lists. */
export function withoutTasks(run: Run): Run {
  return clone(RunSchema, { ...run, tasks: [] });
}

/** As it is kept with the run: its output stays in the journal. */
export function withoutOutput(task: TaskState): TaskState {
  return task.output === undefined ? task : { ...task, output: undefined };
}

/** What never changes after a run's first event, and what may: decoding one after the other, as one, gives the run without its tasks. */
export function fixedPart(run: Run): Uint8Array {
  const fixed = { ...run, tasks: [], taskCounts: [], lastSeq: 0n };
  fixed.failure = fixed.endTime = fixed.deadline = undefined;
  return toBinary(RunSchema, fixed);
}

// Spread, not `create`: it is needed at every step of every run.
const EMPTY = create(RunSchema);

/** The other half of {@link fixedPart}. */
export function varyingPart({ status, failure, taskCounts, endTime, lastSeq, deadline }: Run): Uint8Array {
  const varying: Run = { ...EMPTY, status, taskCounts, lastSeq };
  if (failure) varying.failure = failure;
  if (endTime) varying.endTime = endTime;
  if (deadline) varying.deadline = deadline;
  return toBinary(RunSchema, varying);
}

/** The bytes of each of these states, written as one message and cut. Their outputs stay in the journal. */
export function taskParts(tasks: readonly TaskState[]): Uint8Array[] {
  const bytes = wholeTasks(tasks);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    // A field of the one number that is there: a byte of tag, a varint of length, the message.
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[++at] ?? 0;
      length += (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    at++;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** All states as one: a Run with nothing but its tasks. */
export function wholeTasks(tasks: readonly TaskState[]): Uint8Array {
  return toBinary(RunSchema, { ...EMPTY, tasks: tasks.map(withoutOutput) });
}

/** The run without its tasks, of both halves: in protobuf a field that comes again replaces the earlier one. */
export function joinParts(fixed: Uint8Array, varying: Uint8Array): Run {
  return fromBinary(RunSchema, Buffer.concat([fixed, varying]));
}

/** The consent of a task as it is listed; nothing where it needs none. */
export function listedApproval(run: Run, task: number): ListedApproval | undefined {
  const state = run.tasks[task];
  if (!state?.approval) return undefined;
  const { runId, workflowId, user } = run;
  const { approval, taskId } = state;
  return {
    place: { requestMs: approval.requestTime ? timestampMs(approval.requestTime) : 0, runId, task },
    approval: clone(
      PendingApprovalSchema,
      create(PendingApprovalSchema, { approval, runId, workflowId, taskId, requestedBy: user }),
    ),
  };
}

/** As they are kept, to be searched. */
export function labelsOf(labels: Record<string, string>): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`);
}
