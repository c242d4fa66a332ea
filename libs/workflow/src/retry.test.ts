import { create } from "@bufbuild/protobuf";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import { TaskSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { retryDelay } from "./retry.ts";

const retryable = create(FailureSchema, { retryable: true });
const task = create(TaskSchema, {
  retry: { maxAttempts: 5, initialInterval: { seconds: 1n }, maxInterval: { seconds: 6n, nanos: 500_000_000 } },
});

function millis(attempt: number, jitter: number): number | undefined {
  const delay = retryDelay(task, attempt, retryable, jitter);
  return delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
}

test("the wait doubles up to its longest, and the jitter takes any part of it", () => {
  expect([1, 2, 3, 4].map((attempt) => millis(attempt, 1))).toEqual([1000, 2000, 4000, 6500]);
  expect(millis(3, 0.25)).toBe(1000);
  expect(millis(3, 0)).toBe(0);
  expect([millis(1, 7), millis(1, -7)]).toEqual([1000, 0]);
});

test("there is none after the last attempt, for a final failure, or where the task asks for none", () => {
  expect(millis(5, 1)).toBeUndefined();
  expect(retryDelay(task, 1, create(FailureSchema), 1)).toBeUndefined();
  expect(retryDelay(create(TaskSchema), 1, retryable, 1)).toBeUndefined();
});

test("a task that only counts its attempts waits a second first and a minute at most", () => {
  const counting = create(TaskSchema, { retry: { maxAttempts: 100 } });
  expect(retryDelay(counting, 0, retryable, 1)).toMatchObject({ seconds: 1n, nanos: 0 });
  expect(retryDelay(counting, 99, retryable, 1)).toMatchObject({ seconds: 60n });
});

describe("a task that says which failures count", () => {
  const choosy = create(TaskSchema, {
    retry: { maxAttempts: 9, backoff: 3, retryOn: ["EXPERT_FAILED"], giveUpOn: ["DEADLINE_EXCEEDED"] },
  });

  test("names what is tried again although it is final by nature, and what never is", () => {
    const delayOf = (reason: Reason, retryable: boolean) =>
      retryDelay(choosy, 1, create(FailureSchema, { reason, retryable }), 1);
    expect(delayOf(Reason.EXPERT_FAILED, false)?.seconds).toBe(1n);
    expect(delayOf(Reason.UNAVAILABLE, true)?.seconds).toBe(1n);
    expect(delayOf(Reason.OUTPUT_INVALID, false)).toBeUndefined();
    expect(delayOf(Reason.DEADLINE_EXCEEDED, true)).toBeUndefined();
  });

  test("may let the wait grow by another factor", () => {
    expect([1, 2, 3].map((attempt) => retryDelay(choosy, attempt, retryable, 1)?.seconds)).toEqual([1n, 3n, 9n]);
  });
});

test("an overtaken context write is tried again where the task says nothing, as often as it says where it does", () => {
  const conflict = create(FailureSchema, { reason: Reason.CONTEXT_CONFLICT, retryable: true });
  const silent = create(TaskSchema);
  expect([1, 4, 5].map((attempt) => retryDelay(silent, attempt, conflict, 1) !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
  expect(retryDelay(silent, 1, retryable, 1)).toBeUndefined();
  for (const retry of [{ maxAttempts: 1 }, { maxAttempts: 9, giveUpOn: ["CONTEXT_CONFLICT"] }])
    expect(retryDelay(create(TaskSchema, { retry }), 1, conflict, 1)).toBeUndefined();
});
