import { RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RunMachine } from "./machine.ts";
import { project } from "./projection.ts";
import { Driver } from "./testing/drive.ts";
import { keyOf, workflowOf } from "./testing/journal.ts";

const ENDS = [TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED];

// A DAG of up to 12 tasks, listed in an order that says nothing; and the choices of whoever drives it.
const workflows: fc.Arbitrary<Workflow> = fc
  .integer({ min: 1, max: 12 })
  .chain((count) =>
    fc.record({
      order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
      edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 24 }),
    }),
  )
  .map(({ order, edges }) => {
    const before = new Map(order.map((v) => [v, new Set<string>()]));
    for (const [a, b] of edges) if (a < b) before.get(b)!.add(`t${a}`);
    return workflowOf(Object.fromEntries(order.map((v) => [`t${v}`, [...before.get(v)!]])));
  });
const choices = fc.array(fc.nat(1000), { maxLength: 200 });

function predecessorsOf(workflow: Workflow): number[][] {
  const numbers = new Map(workflow.tasks.map(({ id }, number) => [id, number]));
  return workflow.tasks.map(({ dependsOn }) => dependsOn.map((id) => numbers.get(id)!));
}

function statusesOf(machine: RunMachine): TaskStatus[] {
  return Array.from({ length: machine.taskCount }, (_, task) => machine.status(task));
}

function everyRun(check: (workflow: Workflow, driver: Driver) => void): void {
  const runs = fc.property(workflows, choices, (workflow, chosen) => check(workflow, new Driver(workflow, chosen)));
  fc.assert(runs, { numRuns: 400 });
}

describe("in every run, whatever the DAG, the outcomes and their order", () => {
  test("every task ends, and the run once, with the status that its tasks tell", () => {
    everyRun((_, driver) => {
      driver.run(() => {});
      const statuses = statusesOf(driver.machine);
      expect(statuses.every((status) => ENDS.includes(status))).toBe(true);
      expect(driver.steps.filter((step) => "command" in step && step.command.kind === "completeRun")).toHaveLength(1);
      const ended = driver.machine.runStatus;
      if (ended === RunStatus.SUCCEEDED) expect(statuses).not.toContain(TaskStatus.FAILED);
      if (ended === RunStatus.FAILED) expect(statuses).toContain(TaskStatus.FAILED);
      if (statuses.includes(TaskStatus.CANCELLED)) expect([RunStatus.CANCELLED, RunStatus.FAILED]).toContain(ended);
      expect(driver.machine.pending()).toEqual([]);
    });
  });

  test("no task is dispatched twice for an attempt, or before all its predecessors have succeeded", () => {
    everyRun((workflow, driver) => {
      driver.run(() => {});
      const predecessors = predecessorsOf(workflow);
      const succeeded = new Set<number>();
      const dispatched = new Set<string>();
      for (const step of driver.steps) {
        if ("event" in step) {
          if (step.event.kind.case === "taskCompleted") succeeded.add(step.event.kind.value.task);
          continue;
        }
        if (step.command.kind !== "dispatch") continue;
        expect(dispatched.has(keyOf(step.command))).toBe(false);
        dispatched.add(keyOf(step.command));
        expect(predecessors[step.command.task]!.every((before) => succeeded.has(before))).toBe(true);
      }
    });
  });

  test("a task is dispatched with the very event that makes it ready", () => {
    everyRun((workflow, driver) => {
      const predecessors = predecessorsOf(workflow);
      driver.run(() => {
        if (driver.machine.cancelling || driver.machine.runStatus !== RunStatus.RUNNING) return;
        const statuses = statusesOf(driver.machine);
        const waiting = statuses.flatMap((status, task) => (status === TaskStatus.PENDING ? [task] : []));
        const free = waiting.filter((task) =>
          predecessors[task]!.every((before) => statuses[before] === TaskStatus.SUCCEEDED),
        );
        expect(free).toEqual([]);
      });
    });
  });

  test("pending() is exactly what is in flight, and a replay of every prefix is the live machine", () => {
    everyRun((_, driver) => {
      driver.run(() => {
        const pending = driver.machine.pending();
        expect(pending.map(keyOf).sort()).toEqual([...driver.inFlight.keys()].sort());
        const again = new RunMachine();
        for (const event of driver.journal.events) again.apply(event);
        expect(again.pending()).toEqual(pending);
        expect(statusesOf(again)).toEqual(statusesOf(driver.machine));
        expect(again.runStatus).toBe(driver.machine.runStatus);
      });
    });
  });

  test("the projection says of each task what the machine says", () => {
    everyRun((_, driver) => {
      driver.run(() => {});
      const run = project(driver.journal.events);
      expect(run.tasks.map(({ status }) => status)).toEqual(statusesOf(driver.machine));
      expect(run.status).toBe(driver.machine.runStatus);
      expect(run.tasks.every(({ endTime }) => endTime !== undefined)).toBe(true);
    });
  });
});
