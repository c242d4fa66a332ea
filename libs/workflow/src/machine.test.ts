import { clone } from "@bufbuild/protobuf";
import { type Event, EventSchema, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Plan } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { MACHINE_VERSION, RunMachine } from "./machine.ts";
import { Journal, workflowOf } from "./testing/journal.ts";

function startedWith(change: (plan: Plan) => void): Event {
  const event = clone(EventSchema, new Journal().started(workflowOf({ a: [], b: ["a"], c: ["a", "b"] })));
  if (event.kind.case === "runStarted") change(event.kind.value.plan!);
  return event;
}

describe("a journal that this machine cannot follow", () => {
  test.each<[string, (plan: Plan) => void]>([
    ["too few tasks", (plan) => plan.inDegrees.pop()],
    ["a successor that does not exist", (plan) => plan.successors.fill(7)],
    ["a cycle", (plan) => plan.successors.fill(0)],
    ["rows that run backwards", (plan) => plan.successorOffsets.reverse()],
    ["wrong numbers of predecessors", (plan) => plan.inDegrees.fill(1)],
    ["an order in which a task stands twice", (plan) => plan.order.fill(0)],
    ["no priorities", (plan) => plan.priorities.splice(0)],
  ])("a plan with %s ends the run at once, as failed", (_, change) => {
    const machine = new RunMachine();
    expect(machine.apply(startedWith(change))).toEqual([{ kind: "completeRun", status: RunStatus.FAILED }]);
    expect(machine.pending()).toHaveLength(1);
  });

  test("one begun by a newer machine is left alone", () => {
    const event = startedWith(() => {});
    if (event.kind.case === "runStarted") event.kind.value.machineVersion = MACHINE_VERSION + 1;
    const machine = new RunMachine();
    expect(machine.tryApply(event)).toBeUndefined();
    expect(machine.runStatus).toBe(RunStatus.UNSPECIFIED);
  });
});

test("a workflow without tasks has succeeded as soon as it begins", () => {
  const event = startedWith((plan) => {
    for (const list of [plan.inDegrees, plan.successors, plan.priorities, plan.order]) list.splice(0);
    plan.successorOffsets = [0];
  });
  if (event.kind.case === "runStarted") event.kind.value.workflow!.tasks = [];
  expect(new RunMachine().apply(event)).toEqual([{ kind: "completeRun", status: RunStatus.SUCCEEDED }]);
});

test("an event of another run is refused", () => {
  const machine = new RunMachine();
  machine.apply(new Journal("one").started(workflowOf({ a: [] })));
  const other = new Journal("other");
  other.started(workflowOf({ a: [] }));
  expect(machine.tryApply(other.taskStarted(0, 1))).toBeUndefined();
  expect(machine.status(0)).toBe(TaskStatus.READY);
  expect(machine.status(99)).toBe(TaskStatus.UNSPECIFIED);
});

test("ten thousand tasks cost less than 8 µs each", () => {
  const journal = new Journal();
  const edges = Object.fromEntries(Array.from({ length: 10_000 }, (_, v) => [`t${v}`, v === 0 ? [] : [`t${v - 1}`]]));
  journal.started(workflowOf(edges));
  for (let v = 0; v < 10_000; v++) {
    journal.taskStarted(v, 1);
    journal.completed(v, 1);
  }
  // The best of three: other tests share the machine.
  const times = Array.from({ length: 3 }, () => {
    const machine = new RunMachine();
    const begin = performance.now();
    for (const event of journal.events) machine.apply(event);
    return performance.now() - begin;
  });
  expect(Math.min(...times) / 10).toBeLessThan(8);
});
