import { create } from "@bufbuild/protobuf";
import { FailureSchema } from "@odg/proto/odg/error/v1/error_pb";
import { TaskSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { expect, test } from "vitest";
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
