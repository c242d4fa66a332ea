import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import {
  type Event,
  EventSchema,
  RunSchema,
  type RunStarted,
  RunStatus,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import type { Command } from "./command.ts";
import type { RunMachine } from "./machine.ts";
import { RunProjection } from "./projection.ts";
import { Driver } from "./testing/drive.ts";
import { Journal, keyOf, type TaskInit, workflowWith } from "./testing/journal.ts";

const ENDS = [TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED];

// Mostly plain tasks, so that runs get far; some with a rule, with items, with an approval, or with an approval and nothing else.
const kinds: fc.Arbitrary<TaskInit> = fc
  .record({
    triggerRule: fc.oneof(
      { weight: 3, arbitrary: fc.constant("") },
      { weight: 2, arbitrary: fc.constantFrom("all_success", "all_done", "one_success", "none_failed") },
    ),
    kind: fc.nat(9),
  })
  .map(({ triggerRule, kind }) => ({
    triggerRule,
    ...(kind >= 7 && kind < 9 ? { forEach: { items: "[1]" } } : {}),
    ...(kind === 6 || kind === 7 || kind === 9 ? { approval: { question: "Sure?" } } : {}),
    ...(kind === 9 ? { action: "" } : {}),
  }));

// A DAG of up to 12 tasks, listed in an order that says nothing.
const workflows: fc.Arbitrary<Workflow> = fc
  .integer({ min: 1, max: 12 })
  .chain((count) =>
    fc.record({
      order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
      edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 24 }),
      tasks: fc.array(kinds, { minLength: count, maxLength: count }),
      onFailure: fc.constantFrom("", "", "continue", "fail_fast"),
      timeout: fc.constantFrom(undefined, undefined, { seconds: 3600n }),
    }),
  )
  .map(({ order, edges, tasks, onFailure, timeout }) => {
    const before = new Map(order.map((v) => [v, new Set<string>()]));
    for (const [a, b] of edges) if (a < b) before.get(b)!.add(`t${a}`);
    const made = order.map((v) => ({ ...tasks[v]!, id: `t${v}`, dependsOn: [...before.get(v)!] }));
    return workflowWith(made, { onFailure, ...(timeout ? { timeout } : {}) });
  });
const choices = fc.array(fc.nat(1000), { maxLength: 200 });
const reused = fc.array(fc.nat(11), { maxLength: 2 });

function statusesOf(machine: RunMachine): TaskStatus[] {
  return Array.from({ length: machine.taskCount }, (_, task) => machine.status(task));
}

function everyRun(check: (workflow: Workflow, driver: Driver) => void, numRuns = 400): void {
  const runs = fc.property(workflows, choices, reused, (workflow, chosen, taken) => {
    const known = taken.filter((task) => task < workflow.tasks.length);
    check(workflow, new Driver(workflow, chosen, known));
  });
  fc.assert(runs, { numRuns });
}

test("the random runs come to every event and every command", () => {
  const seen = new Set<string | undefined>();
  const runs = fc.property(workflows, choices, reused, (workflow, chosen, taken) => {
    const driver = new Driver(
      workflow,
      chosen,
      taken.filter((task) => task < workflow.tasks.length),
    );
    driver.run(() => {});
    for (const step of driver.steps) seen.add("event" in step ? step.event.kind.case : step.command.kind);
  });
  fc.assert(runs, { numRuns: 400, seed: 1 });
  const events = EventSchema.oneofs[0]!.fields.map(({ localName }) => localName);
  const commands: Command["kind"][] = ["dispatch", "reuse", "skip", "scheduleRetry", "awaitApproval", "completeTask"];
  commands.push("withdraw", "cancelTask", "scheduleRunTimeout", "completeRun");
  expect([...events, ...commands].filter((name) => !seen.has(name))).toEqual(["datasetProfiled"]);
});

describe("in every run, whatever the DAG, the rules, the outcomes and their order", () => {
  test("every task ends, and the run once, with the status that its tasks tell", () => {
    everyRun((_, driver) => {
      driver.run(() => {});
      const statuses = statusesOf(driver.machine);
      expect(statuses.every((status) => ENDS.includes(status))).toBe(true);
      expect(driver.steps.filter((step) => "command" in step && step.command.kind === "completeRun")).toHaveLength(1);
      const { machine, steps } = driver;
      const timedOut = steps.some((step) => "event" in step && step.event.kind.case === "runTimedOut");
      if (machine.runStatus === RunStatus.SUCCEEDED) expect(statuses).not.toContain(TaskStatus.FAILED);
      if (machine.runStatus === RunStatus.FAILED && !timedOut) expect(statuses).toContain(TaskStatus.FAILED);
      if (timedOut) expect(machine.runStatus).toBe(RunStatus.FAILED);
      if (statuses.includes(TaskStatus.CANCELLED))
        expect([RunStatus.CANCELLED, RunStatus.FAILED]).toContain(machine.runStatus);
      expect(machine.pending()).toEqual([]);
    });
  });

  test("the history holds what must be true, by a checker that shares no code with the machine", () => {
    everyRun((_, driver) => {
      driver.run(() => {});
      expect(checkHistory(driver.journal.events)).toEqual([]);
    });
  });

  test("no attempt is dispatched twice, but after a consent, or where a pause took it back", () => {
    everyRun((_, driver) => {
      driver.run(() => {});
      const out = new Set<string>();
      for (const step of driver.steps) {
        if ("event" in step) {
          const { kind } = step.event;
          if (kind.case === "approvalRequested") out.delete(`${kind.value.task}/0/1`);
          continue;
        }
        const { command } = step;
        if (command.kind !== "dispatch" && command.kind !== "reuse" && command.kind !== "withdraw") continue;
        const name = `${command.task}/${command.kind === "reuse" ? 0 : command.item}/${command.attempt}`;
        expect(out.has(name)).toBe(command.kind === "withdraw");
        if (command.kind === "withdraw") out.delete(name);
        else out.add(name);
      }
    });
  });

  test("a task is ready with the very event that makes it so, and nothing is dispatched in a pause", () => {
    everyRun((workflow, driver) => {
      const numbers = new Map(workflow.tasks.map(({ id }, number) => [id, number]));
      driver.run(() => {
        if (driver.machine.cancelling || driver.machine.openTasks === 0) return;
        const statuses = statusesOf(driver.machine);
        const free = workflow.tasks.filter(({ triggerRule, dependsOn }, task) => {
          const before = dependsOn.map((id) => statuses[numbers.get(id)!]!);
          const well = before.filter((status) => status === TaskStatus.SUCCEEDED).length;
          if (statuses[task] !== TaskStatus.PENDING) return false;
          if (triggerRule === "one_success") return well > 0;
          if (triggerRule === "all_done") return before.every((status) => ENDS.includes(status));
          return well === before.length;
        });
        expect(free).toEqual([]);
      });
      let paused = false;
      for (const step of driver.steps) {
        if ("event" in step) {
          if (step.event.kind.case === "runPaused") paused = true;
          if (["runResumed", "runCancelRequested", "runTimedOut"].includes(step.event.kind.case!)) paused = false;
        } else if (step.command.kind === "dispatch") expect(paused).toBe(false);
        else if (step.command.kind === "cancelTask") paused = false;
      }
    });
  });

  test("pending() is exactly what is in flight, and a replay of every prefix is the live run", () => {
    everyRun((_, driver) => {
      driver.run(() => {
        const pending = driver.machine.pending();
        expect(pending.map(keyOf).sort()).toEqual([...driver.inFlight.keys()].sort());
        const again = new RunProjection();
        for (const event of driver.journal.events) again.apply(event);
        expect(again.machine.pending()).toEqual(pending);
        expect(statusesOf(again.machine)).toEqual(statusesOf(driver.machine));
        expect(again.machine.runStatus).toBe(driver.machine.runStatus);
      });
    });
  });

  test("a snapshot of any moment and the events behind it are worth the whole journal", () => {
    everyRun((_, driver) => {
      const restored: RunProjection[] = [];
      driver.run(() => {
        const { events } = driver.journal;
        for (const projection of restored) projection.apply(events.at(-1)!);
        const bytes = toBinary(RunSnapshotSchema, driver.projection.snapshot());
        const again = RunProjection.restore(events[0]!.kind.value as RunStarted, fromBinary(RunSnapshotSchema, bytes))!;
        expect(toBinary(RunSnapshotSchema, again.snapshot())).toEqual(bytes);
        expect(again.machine.pending()).toEqual(driver.machine.pending());
        restored.push(again);
      });
      const bytes = toBinary(RunSnapshotSchema, driver.projection.snapshot());
      for (const projection of restored) expect(toBinary(RunSnapshotSchema, projection.snapshot())).toEqual(bytes);
    }, 150);
  });

  test("the projection says of each task what the machine says, and counts them", () => {
    everyRun((_, driver) => {
      driver.run(() => {
        const run = driver.projection.run();
        const statuses = statusesOf(driver.machine);
        expect(run.tasks.map(({ status }) => status)).toEqual(statuses);
        expect(run.status).toBe(driver.machine.runStatus);
        for (const { status, count } of run.taskCounts)
          expect([status, count]).toEqual([status, statuses.filter((other) => other === status).length]);
        expect(run.taskCounts.reduce((sum, { count }) => sum + count, 0)).toBe(statuses.length);
        expect(toJson(RunSchema, run)).toBeDefined();
      });
      expect(driver.projection.run().tasks.every(({ endTime }) => endTime !== undefined)).toBe(true);
    }, 150);
  });
});

// Events as no driver would make them: any kind, any small number, in any order.
const garbage: fc.Arbitrary<Event> = fc
  .record({
    kind: fc.constantFrom(
      ...EventSchema.oneofs[0]!.fields.map(({ localName }) => localName).filter((name) => name !== "runStarted"),
    ),
    task: fc.nat(5),
    item: fc.nat(4),
    attempt: fc.nat(3),
    status: fc.nat(5),
    cause: fc.nat(2),
    count: fc.constantFrom(0, 1, 3, 4, 10_001, 2 ** 32 - 1),
    maxConcurrency: fc.nat(2),
    retryAfter: fc.constantFrom(undefined, { seconds: 5n }, { seconds: -5n }),
    deadline: fc.constantFrom(undefined, { seconds: 5n }),
  })
  .map(({ kind, ...value }) => create(EventSchema, { kind: { case: kind, value } as never }));

test("whatever the events, nothing throws, and what the run becomes can be replayed and restored", () => {
  const runs = fc.property(workflows, fc.array(garbage, { maxLength: 120 }), (workflow, events) => {
    const journal = new Journal("");
    const projection = new RunProjection();
    const taken: Event[] = [];
    for (const { kind } of [journal.started(workflow), ...events]) {
      const event = create(EventSchema, { seq: BigInt(taken.length + 1), time: { seconds: 1_000n }, kind });
      if (projection.tryApply(event) !== undefined) taken.push(event);
      expect(projection.machine.pending().length).toBeGreaterThanOrEqual(0);
    }
    const bytes = toBinary(RunSnapshotSchema, projection.snapshot());
    const again = new RunProjection();
    for (const event of taken) expect(again.apply(event)).toBe(true);
    expect(toBinary(RunSnapshotSchema, again.snapshot())).toEqual(bytes);
    const started = taken[0]!.kind.value as RunStarted;
    const restored = RunProjection.restore(started, fromBinary(RunSnapshotSchema, bytes))!;
    expect(restored.machine.pending()).toEqual(projection.machine.pending());
    checkHistory(taken);
  });
  fc.assert(runs, { numRuns: 400 });
});
