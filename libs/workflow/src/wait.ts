import { create } from "@bufbuild/protobuf";
import { type RetryWait, RetryWaitSchema } from "@odg/proto/odg/run/v1/snapshot_pb";

/** A wait before the next attempt. */
export interface Wait {
  /** In milliseconds. */
  afterMs: number;
  /** In Unix milliseconds. */
  dueMs: number;
}

/** Waits by the number of what waits, as a snapshot holds them. */
export function waitsToProto(waits: ReadonlyMap<number, Wait> | undefined): RetryWait[] {
  return [...(waits ?? [])].map(([number, { afterMs, dueMs }]) => create(RetryWaitSchema, { number, afterMs, dueMs }));
}

/** The waits of a snapshot; undefined where there are none. */
export function waitsFromProto(waits: readonly RetryWait[]): Map<number, Wait> | undefined {
  if (waits.length === 0) return undefined;
  return new Map(waits.map(({ number, afterMs, dueMs }) => [number, { afterMs, dueMs }]));
}

/** Milliseconds of a Duration or a Timestamp, fractions kept. */
export function millis(time: { seconds: bigint; nanos: number }): number {
  return Number(time.seconds) * 1000 + time.nanos / 1e6;
}
