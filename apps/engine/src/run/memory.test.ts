import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "@bufbuild/protobuf";
import { RunStartedSchema, RunStatus, TaskCompletedSchema, TaskStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { type DispatchCommand, MACHINE_VERSION, plan } from "@odg/workflow";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import type { Journal } from "../store/store.ts";
import { ActiveRun } from "./active-run.ts";
import type { Performer } from "./perform-command.ts";

const TASKS = 10_000;
/** What a finished task may keep: its times, and a little room for what the collector has not found. */
const BYTES_PER_TASK = 300;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Keeps nothing, as a database that is elsewhere. */
const elsewhere: Journal = { append: () => undefined, readEvents: async () => [] };

test("a run of ten thousand tasks keeps next to nothing of those that have ended", async () => {
  const open: DispatchCommand[] = [];
  const performer: Performer = {
    dispatch: (_, command) => void open.push(command),
    completeTask() {},
    reuse() {},
    cancel() {},
    withdraw() {},
  };
  const tasks = Array.from({ length: TASKS }, (_, n) => ({ id: `t${n}`, action: "nothing" }));
  const workflow = create(WorkflowSchema, { workflowId: "large", tasks });
  const around = { journal: elsewhere, performer, clock: systemClock, logger: createLogger("silent") };
  const run = new ActiveRun("01900000-0000-7000-8000-000000000001", around);
  await run.start(create(RunStartedSchema, { workflow, plan: plan(workflow).plan, machineVersion: MACHINE_VERSION }));
  const work = (until: number) => {
    while (open.length > until) {
      const { task, attempt } = open.pop()!;
      run.record({ case: "taskStarted", value: create(TaskStartedSchema, { task, attempt, expert: "E@1.0.0" }) });
      run.record({ case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt }) });
    }
  };
  // The tail of newest events has its full length before the first look.
  work(TASKS - 1000);
  const before = heap();
  work(1);
  const grown = heap() - before;
  expect(grown / (TASKS - 1001)).toBeLessThan(BYTES_PER_TASK);
  work(0);
  expect((await run.ended).status).toBe(RunStatus.SUCCEEDED);
});
