import { toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { PendingApprovalSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { EventSchema, type Run } from "@odg/proto/odg/run/v1/run_pb";
import { fixedPart, listedApproval, taskParts, varyingPart, wholeTasks } from "./run-row.ts";
import type { Append } from "./store.ts";

/** An append as bytes and numbers, ready to be put into a batch. */
export interface EncodedAppend {
  readonly append: Append;
  readonly varying: Uint8Array;
  /** With a run's first append: what never changes, and the tasks as they are then. */
  readonly first?: { fixed: Uint8Array; tasks: Uint8Array };
  readonly events: readonly Uint8Array[];
  readonly tasks: readonly { task: number; status: number; bytes: Uint8Array }[];
  readonly consents: readonly { task: number; status: number; requestTime: string; bytes: Uint8Array }[];
  /** Bytes of all of it, more or less. */
  readonly size: number;
}

/** Reads the append's messages once, now: what happens to them later does not matter. */
export function encode(append: Append): EncodedAppend {
  const { events, run, snapshot, blobs } = append;
  const first = events[0]?.seq === 1n ? { fixed: fixedPart(run), tasks: wholeTasks(run.tasks) } : undefined;
  const consents = encodeConsents(append);
  const encoded = {
    append,
    varying: varyingPart(run),
    ...(first ? { first } : {}),
    events: events.map((event) => toBinary(EventSchema, event)),
    // As a run begins, its tasks are kept as one; whatever waits for consent has a row all the same.
    tasks: encodeTasks(run, first ? consents.map(({ task }) => task) : append.changed),
    consents,
  };
  let size = encoded.varying.length + (first ? first.fixed.length + first.tasks.length : 0);
  for (const { length } of encoded.events) size += length;
  for (const { bytes } of encoded.tasks) size += bytes.length;
  if (snapshot) size += snapshot.bytes.length;
  if (blobs) for (const { bytes } of blobs) size += bytes.length;
  return { ...encoded, size };
}

function encodeTasks(run: Run, changed: Append["changed"]): EncodedAppend["tasks"] {
  const numbers = changed ? [...new Set(changed)] : [...run.tasks.keys()];
  if (numbers.length === 0) return [];
  const states = numbers.map((task) => {
    const state = run.tasks[task];
    if (!state) throw new RangeError(`run ${run.runId} has no task ${task}`);
    return state;
  });
  return taskParts(states).map((bytes, i) => ({ task: numbers[i]!, status: states[i]!.status, bytes }));
}

function encodeConsents({ events, run }: Append): EncodedAppend["consents"] {
  let tasks: Set<number> | undefined;
  for (const { kind } of events) {
    if (kind.case === "approvalRequested" || kind.case === "approvalEscalated" || kind.case === "approvalDecided") {
      tasks ??= new Set();
      tasks.add(kind.value.task);
    }
  }
  if (!tasks) return [];
  return [...tasks].flatMap((task) => {
    const listed = listedApproval(run, task);
    const state = listed?.approval.approval;
    if (!listed || !state) return [];
    return {
      task,
      status: state.status,
      requestTime: isoTime(state.requestTime) ?? new Date(0).toISOString(),
      bytes: toBinary(PendingApprovalSchema, listed.approval),
    };
  });
}

/** As Postgres reads it. */
export function isoTime(time: Timestamp | undefined): string | null {
  return time ? timestampDate(time).toISOString() : null;
}
