import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { workflowOf } from "@odg/engine/testing";
import {
  type Event,
  EventSchema,
  RunStartedSchema,
  TaskCompletedSchema,
  TaskStartedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import { expect, test } from "vitest";
import type { Effect } from "./database.ts";
import { accountsOf, effectFaults, percentile, recoveriesOf } from "./inspection.ts";

const workflow = workflowOf([{ id: "a", expert: "EffectExpert", action: "effect", inputs: {} }]);
const started = (key: string) =>
  ({ case: "taskStarted", value: create(TaskStartedSchema, { task: 0, attempt: 1, idempotencyKey: key }) }) as const;
const completed = { case: "taskCompleted", value: create(TaskCompletedSchema, { task: 0, attempt: 1 }) } as const;

/** A journal with an event each 100 ms. */
function journal(...kinds: Event["kind"][]): Event[] {
  const begun = { case: "runStarted", value: create(RunStartedSchema, { workflow }) } as const;
  return [begun, ...kinds].map((kind, i) =>
    create(EventSchema, { runId: "run", seq: BigInt(i + 1), time: timestampFromMs(i * 100), kind }),
  );
}

const effect = (key: string, at: number): Effect => ({ key, runId: "run", taskId: "a", attempt: 1, at });
const faultsOf = (events: Event[], ...effects: Effect[]) => {
  const accounts = accountsOf(events);
  return [...accounts.faults, ...effectFaults(accounts, effects, "fault")];
};

test("effects under the key of their attempt, before it was settled, are in order however often they come", () => {
  expect(faultsOf(journal(started("k"), completed), effect("k", 110), effect("k", 190))).toEqual([]);
});

test("an effect after its task was settled, under a foreign key, or missing is a fault", () => {
  const events = journal(started("k"), completed);
  expect(faultsOf(events, effect("k", 150), effect("k", 250))).toEqual([
    "attempt 1 of k had an effect 50 ms after the task was settled",
  ]);
  expect(faultsOf(events, effect("k", 150), effect("other", 150))).toEqual([
    "an effect has the key other, and no attempt that began has it",
  ]);
  expect(faultsOf(events)).toEqual(["the task of k succeeded without an effect"]);
});

test("a key that changes between two attempts is a fault", () => {
  expect(faultsOf(journal(started("k"), started("l"), completed), effect("l", 250))).toEqual([
    "the key k has become l",
  ]);
});

test("a recovery counts from the start of the engine of the same name, else from the death of the other", () => {
  const events = journal(started("k"), completed, completed);
  const dead = { name: "one", startedAt: 0, killedAt: 120, runs: ["run"] };
  expect(recoveriesOf("run", events, [dead, { name: "one", startedAt: 150 }])).toEqual([50]);
  expect(recoveriesOf("run", events, [dead, { name: "two", startedAt: 150 }])).toEqual([80]);
  expect(recoveriesOf("another", events, [dead, { name: "one", startedAt: 150 }])).toEqual([]);
});

test("an engine that was killed before it came to a run leaves that to the next", () => {
  const events = journal(started("k"), completed, completed);
  const lives = [
    { name: "one", startedAt: 0, killedAt: 120, runs: ["run"] },
    { name: "one", startedAt: 130, killedAt: 190, runs: ["run"] },
    { name: "one", startedAt: 195 },
  ];
  expect(recoveriesOf("run", events, lives)).toEqual([5]);
});

test("a percentile is the value below which that share lies", () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(3);
  expect(percentile([4, 1, 3, 2], 0.99)).toBe(4);
});
