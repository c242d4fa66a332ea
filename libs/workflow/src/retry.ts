import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { type Failure, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { millis } from "./wait.ts";

/** Wait before the second attempt where the task names none, in milliseconds. */
export const DEFAULT_INITIAL_INTERVAL_MS = 1_000;

/** Longest wait where the task names none, in milliseconds. */
export const DEFAULT_MAX_INTERVAL_MS = 60_000;

/** Factor from one wait to the next where the task names none. */
export const DEFAULT_BACKOFF = 2;

/** Attempts of a task that names no policy where another task's context write overtook its own: the work itself has not failed. */
export const CONFLICT_ATTEMPTS = 5;

/**
 * The wait before the next attempt; undefined where there is to be none: the failure is not retryable (nor named by
 * `retry_on`), is named by `give_up_on`, or the task's attempts are used up ({@link CONFLICT_ATTEMPTS} for a conflict of context writes where the task has no policy). Exponential with full jitter,
 * `jitter * min(max, initial * backoff^(attempt - 1))`, after M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 *
 * @param attempt Number of the attempt that failed, from 1; 0 (it failed before any began) counts as 1.
 * @param jitter A random number from 0 to 1, given from outside; what lies beyond is clamped.
 */
export function retryDelay(task: Task, attempt: number, failure: Failure, jitter: number): Duration | undefined {
  const failed = Math.max(1, attempt);
  if (!isRetried(task, failure) || failed >= attemptsOf(task, failure)) return undefined;
  const initial = millisOf(task.retry?.initialInterval) ?? DEFAULT_INITIAL_INTERVAL_MS;
  const longest = millisOf(task.retry?.maxInterval) ?? Math.max(initial, DEFAULT_MAX_INTERVAL_MS);
  const ceiling = Math.min(longest, initial * (task.retry?.backoff || DEFAULT_BACKOFF) ** (failed - 1));
  const wait = Math.round(ceiling * Math.min(1, Math.max(0, jitter)));
  return create(DurationSchema, { seconds: BigInt(Math.floor(wait / 1000)), nanos: (wait % 1000) * 1_000_000 });
}

function isRetried({ retry }: Task, { retryable, reason }: Failure): boolean {
  const name = Reason[reason];
  if (retry?.giveUpOn.includes(name)) return false;
  return retryable || (retry?.retryOn.includes(name) ?? false);
}

function attemptsOf({ retry }: Task, { reason }: Failure): number {
  if (retry !== undefined) return Math.max(1, retry.maxAttempts);
  return reason === Reason.CONTEXT_CONFLICT ? CONFLICT_ATTEMPTS : 1;
}

function millisOf(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : millis(duration);
}
