import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Failure } from "@odg/proto/odg/error/v1/error_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** Wait before the second attempt where the task names none, in milliseconds. */
export const DEFAULT_INITIAL_INTERVAL_MS = 1_000;

/** Longest wait where the task names none, in milliseconds. */
export const DEFAULT_MAX_INTERVAL_MS = 60_000;

/**
 * The wait before the next attempt; undefined where there is to be none: the failure is not retryable, or the task's attempts are
 * used up. Exponential with full jitter, `jitter * min(max, initial * 2^(attempt - 1))`, after M. Brooker, "Exponential Backoff And
 * Jitter" (AWS Architecture Blog, 2015).
 *
 * @param attempt Number of the attempt that failed, from 1; 0 (it failed before any began) counts as 1.
 * @param jitter A random number from 0 to 1, given from outside; what lies beyond is clamped.
 */
export function retryDelay(task: Task, attempt: number, failure: Failure, jitter: number): Duration | undefined {
  const failed = Math.max(1, attempt);
  if (!failure.retryable || failed >= Math.max(1, task.retry?.maxAttempts ?? 0)) return undefined;
  const initial = millis(task.retry?.initialInterval) ?? DEFAULT_INITIAL_INTERVAL_MS;
  const longest = millis(task.retry?.maxInterval) ?? Math.max(initial, DEFAULT_MAX_INTERVAL_MS);
  const ceiling = Math.min(longest, initial * 2 ** (failed - 1));
  const wait = Math.round(ceiling * Math.min(1, Math.max(0, jitter)));
  return create(DurationSchema, { seconds: BigInt(Math.floor(wait / 1000)), nanos: (wait % 1000) * 1_000_000 });
}

function millis(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
