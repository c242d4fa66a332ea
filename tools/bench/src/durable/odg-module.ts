// A whole engine with its journal in Postgres, around an expert in its process that does nothing: started and watched by its own service.

import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createEngine, type EngineConfig, readConfig } from "@odg/engine";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { inProcessTransport } from "@odg/rpc";
import { placeEcho } from "../place-echo.ts";
import type { DurableSubject } from "./subject.ts";

const inputs = { text: "the quick brown fox", numbers: [1, 2, 3] };

export default {
  name: "Expert Orchestrator, module",
  async prepare({ tasks }, url) {
    const placed = await placeEcho("module");
    const { engine: defaults } = readConfig();
    const config: EngineConfig = {
      ...defaults,
      store: { kind: "postgres", url },
      logLevel: "warn",
      experts: [placed.entry],
    };
    const engine = await createEngine(config);
    const client = createClient(RunService, inProcessTransport(engine.routes));
    const workflow = create(WorkflowSchema, {
      workflowId: "bench",
      tasks: tasks.map(({ id, dependsOn }) => ({
        id,
        expert: "EchoExpert",
        action: "echo",
        dependsOn: [...dependsOn],
      })),
    });
    return {
      async run() {
        const { run } = await client.startRun({ source: { case: "workflow", value: workflow }, inputs });
        let status: RunStatus | undefined;
        for await (const { message } of client.watchRun({ runId: run?.runId ?? "" })) {
          if (message.case !== "event" || message.value.kind.case !== "runCompleted") continue;
          status = message.value.kind.value.status;
        }
        if (status !== RunStatus.SUCCEEDED) throw new Error(`a run ended as ${status}`);
      },
      close: () => engine.close(),
    };
  },
} satisfies DurableSubject;
