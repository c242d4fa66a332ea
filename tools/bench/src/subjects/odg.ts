// The engine's core: ActiveRun, RunMachine, RunProjection and the memory journal with every event, around tasks that do nothing.
import { create } from "@bufbuild/protobuf";
import { RunStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { MACHINE_VERSION, plan } from "@odg/workflow";
import { systemClock } from "../../../../apps/engine/src/clock.ts";
import { createLogger } from "../../../../apps/engine/src/logger.ts";
import { ActiveRun } from "../../../../apps/engine/src/run/active-run.ts";
import { MemoryStore } from "../../../../apps/engine/src/store/memory.ts";
import { performNothing } from "../nothing.ts";
import type { Subject } from "./subject.ts";

/** Tasks whose events stay in the journal before another one is begun: a benchmark has no retention. */
const MOST_KEPT = 20_000;
const logger = createLogger("silent");

export default {
  name: "Expert Orchestrator",
  async prepare({ tasks }, task) {
    const workflow = create(WorkflowSchema, {
      workflowId: "bench",
      tasks: tasks.map(({ id, dependsOn }) => ({ id, action: "nothing", dependsOn: [...dependsOn] })),
    });
    const planned = plan(workflow);
    if (!planned.plan) throw new Error(planned.issues[0]?.message);
    const started = create(RunStartedSchema, { workflow, plan: planned.plan, machineVersion: MACHINE_VERSION });
    const around = { performer: performNothing(task), clock: systemClock, logger };
    let journal = new MemoryStore();
    let kept = 0;
    return async (round) => {
      if (kept > MOST_KEPT) {
        journal = new MemoryStore();
        kept = 0;
      }
      kept += tasks.length;
      const run = new ActiveRun(`run-${round}`, { journal, ...around });
      await run.start(started);
      await run.ended;
    };
  },
} satisfies Subject;
