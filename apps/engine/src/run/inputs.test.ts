import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { RunStartedSchema, TaskCompletedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { type TaskSchema, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { MACHINE_VERSION, plan } from "@odg/workflow";
import { describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import { MemoryStore } from "../store/memory.ts";
import { ActiveRun } from "./active-run.ts";
import { argumentsOf, scopeOf } from "./inputs.ts";

type Init = MessageInitShape<typeof TaskSchema>;

/** The arguments of the tasks that are looked at, as each is dispatched. */
async function argumentsIn(tasks: Init[], looked: (number: number) => boolean = () => true) {
  const workflow = create(WorkflowSchema, { workflowId: "w", tasks: tasks.map((one) => ({ action: "a", ...one })) });
  const seen: Record<string, unknown> = {};
  const run = new ActiveRun("run-1", {
    journal: new MemoryStore(),
    clock: systemClock,
    logger: createLogger("silent"),
    performer: {
      dispatch(active, { task, attempt }) {
        if (looked(task)) seen[active.task(task).id] = argumentsOf(active, task, scopeOf(active)).value;
        active.record({ case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt }) });
      },
      cancel() {},
      withdraw() {},
      completeTask() {},
      reuse() {},
    },
  });
  await run.start(create(RunStartedSchema, { workflow, plan: plan(workflow).plan, machineVersion: MACHINE_VERSION }));
  await run.ended;
  return seen;
}

describe("the dataset of a task that names none", () => {
  test("is that of the first predecessor, in the order of depends_on, that has one", async () => {
    const seen = await argumentsIn([
      { id: "none" },
      { id: "a", inputs: { file_path: "a.csv" } },
      { id: "b", inputs: { dataset: "b.csv" } },
      { id: "behind_a", dependsOn: ["a"] },
      { id: "first", dependsOn: ["none", "behind_a", "b"] },
      { id: "second", dependsOn: ["b", "first"], inputs: { limit: 3 } },
      { id: "without", dependsOn: ["none"] },
    ]);
    expect(seen).toMatchObject({
      first: { dataset: "a.csv" },
      second: { dataset: "b.csv", limit: 3 },
      without: {},
      none: {},
    });
    expect(seen.without).toEqual({});
  });

  test("is found through a chain as long as a workflow may be", async () => {
    const tasks = Array.from({ length: 10_000 }, (_, i): Init => ({ id: `t${i}`, dependsOn: i ? [`t${i - 1}`] : [] }));
    tasks[0] = { id: "t0", inputs: { dataset: "far.csv" } };
    const last = tasks.length - 1;
    // Only the last asks, as after a restart; then all ask, each its own predecessor.
    expect((await argumentsIn(tasks, (number) => number === last))[`t${last}`]).toEqual({ dataset: "far.csv" });
    const began = performance.now();
    expect((await argumentsIn(tasks))[`t${last}`]).toEqual({ dataset: "far.csv" });
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
