// RunMachine, ActiveRun and the journal in Postgres, around tasks that do nothing.
import { create } from "@bufbuild/protobuf";
import { RunStartedSchema } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { MACHINE_VERSION, plan } from "@odg/workflow";
import { v7 as uuidv7 } from "uuid";
import { systemClock } from "../../../../apps/engine/src/clock.ts";
import { createLogger } from "../../../../apps/engine/src/logger.ts";
import { ActiveRun } from "../../../../apps/engine/src/run/active-run.ts";
import { openPostgres } from "../../../../apps/engine/src/store/postgres.ts";
import { performNothing } from "../nothing.ts";
import type { DurableSubject } from "./subject.ts";

export default {
  name: "Expert Orchestrator",
  async prepare({ tasks }, databaseUrl) {
    const workflow = create(WorkflowSchema, {
      workflowId: "bench",
      tasks: tasks.map(({ id, dependsOn }) => ({ id, action: "nothing", dependsOn: [...dependsOn] })),
    });
    const planned = plan(workflow);
    if (!planned.plan) throw new Error(planned.issues[0]?.message);
    const started = create(RunStartedSchema, { workflow, plan: planned.plan, machineVersion: MACHINE_VERSION });
    const journal = await openPostgres(databaseUrl);
    const { fence } = await journal.attach({ name: "bench" });
    const performer = performNothing(() => undefined);
    const around = { journal, fence, performer, clock: systemClock, logger: createLogger("warn") };
    return {
      async run() {
        const run = new ActiveRun(uuidv7(), around);
        await run.start(started);
        await run.ended;
      },
      close: () => journal.close(),
    };
  },
} satisfies DurableSubject;
