import { toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { PendingApprovalSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { EventSchema, TaskStateSchema } from "@odg/proto/odg/run/v1/run_pb";
import { fixedPart, listedApproval, varyingPart, withoutOutput } from "./run-row.ts";
import type { Append } from "./store.ts";

/** An append as bytes and numbers, ready to be put into a batch. */
export interface EncodedAppend {
  readonly append: Append;
  readonly varying: Uint8Array;
  /** With a run's first append. */
  readonly fixed?: Uint8Array;
  readonly events: readonly Uint8Array[];
  readonly tasks: readonly { task: number; status: number; bytes: Uint8Array }[];
  readonly consents: readonly { task: number; status: number; requestTime: string; bytes: Uint8Array }[];
  /** Bytes of all of it. */
  readonly size: number;
}

/** Reads the append's messages once, now: what happens to them later does not matter. */
export function encode(append: Append): EncodedAppend {
  const { events, run, snapshot, blobs = [] } = append;
  const isFirst = events[0]?.seq === 1n;
  const encoded = {
    append,
    varying: varyingPart(run),
    ...(isFirst ? { fixed: fixedPart(run) } : {}),
    events: events.map((event) => toBinary(EventSchema, event)),
    tasks: encodeTasks(append),
    consents: encodeConsents(append),
  };
  const parts = [
    encoded.varying,
    encoded.fixed,
    ...encoded.events,
    snapshot?.bytes,
    ...blobs.map(({ bytes }) => bytes),
  ];
  const rows = [...encoded.tasks, ...encoded.consents].map(({ bytes }) => bytes);
  const size = [...parts, ...rows].reduce((sum, part) => sum + (part?.length ?? 0), 0);
  return { ...encoded, size };
}

function encodeTasks({ run, changed }: Append): EncodedAppend["tasks"] {
  const numbers = changed ? new Set(changed) : run.tasks.keys();
  return [...numbers].map((task) => {
    const state = run.tasks[task];
    if (!state) throw new RangeError(`run ${run.runId} has no task ${task}`);
    return { task, status: state.status, bytes: toBinary(TaskStateSchema, withoutOutput(state)) };
  });
}

function encodeConsents({ events, run }: Append): EncodedAppend["consents"] {
  const tasks = new Set<number>();
  for (const { kind } of events) {
    if (kind.case === "approvalRequested" || kind.case === "approvalEscalated" || kind.case === "approvalDecided") {
      tasks.add(kind.value.task);
    }
  }
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
