// A whole engine around an expert that does nothing: routing, the attempt, the expert's service, redaction, and the memory journal.
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createEngine, type EngineConfig, readConfig } from "@odg/engine";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { inProcessTransport } from "@odg/rpc";
import { type PlacedEcho, type PlacementName, placeEcho } from "../place-echo.ts";
import type { Subject } from "./subject.ts";

const inputs = { text: "the quick brown fox", numbers: [1, 2, 3] };

/** An engine whose one expert is placed so. Its runs are started and watched by its own service, in this process. */
export function engineSubject(placement: PlacementName): Subject {
  let engine: Awaited<ReturnType<typeof createEngine>> | undefined;
  let placed: PlacedEcho | undefined;
  const begin = async () => {
    placed = await placeEcho(placement);
    const config: EngineConfig = { ...readConfig().engine, store: { kind: "memory" }, logLevel: "warn" };
    engine = await createEngine({ ...config, experts: [placed.entry] });
    return createClient(RunService, inProcessTransport(engine.routes));
  };
  let client: ReturnType<typeof begin> | undefined;
  return {
    name: `engine, ${placement}`,
    slow: true,
    async prepare({ tasks }, task) {
      client ??= begin();
      const runs = await client;
      const workflow = create(WorkflowSchema, {
        workflowId: "bench",
        tasks: tasks.map(({ id, dependsOn }) => ({
          id,
          expert: "EchoExpert",
          action: "echo",
          dependsOn: [...dependsOn],
        })),
      });
      return async () => {
        const { run } = await runs.startRun({ source: { case: "workflow", value: workflow }, inputs });
        const runId = run?.runId ?? "";
        for await (const _ of runs.watchRun({ runId }));
        const { run: ended } = await runs.getRun({ runId });
        for (const { status } of ended?.tasks ?? []) if (status === TaskStatus.SUCCEEDED) task();
      };
    },
    async close() {
      await engine?.close();
      placed?.close();
    },
  };
}
