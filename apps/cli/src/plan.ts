import { toJson } from "@bufbuild/protobuf";
import { type PlannedTask, PlanWorkflowResponseSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { treeOf } from "./live-tree.ts";
import { printData, printJson, table } from "./output.ts";
import { readSource } from "./workflow-source.ts";

/** Shows what a run of a workflow would do. Answers the exit code. */
export async function planVerb(argument: string, flags: EngineFlags): Promise<number> {
  const source = await readSource(argument);
  const { client, close } = await connect(flags);
  try {
    const response = await client.workflows.planWorkflow({ source });
    if (flags.json) {
      printJson(toJson(PlanWorkflowResponseSchema, response));
      return EXIT.ok;
    }
    const { workflow, tasks } = response;
    if (!workflow) return EXIT.ok;
    const rows = treeOf(workflow).map(({ task, prefix }) => {
      const planned = tasks[task];
      return [
        `${prefix}${planned?.taskId ?? ""}`,
        workOf(workflow.tasks[task], planned),
        timeOf(workflow.tasks[task], planned),
        planned?.onCriticalPath ? "critical path" : "",
      ];
    });
    printData(`${workflow.workflowId}: ${tasks.length} tasks\n${table(rows)}`);
    return EXIT.ok;
  } finally {
    await close();
  }
}

/** Who does it, or what it waits for. */
function workOf(task: Task | undefined, planned: PlannedTask | undefined): string {
  const items = task?.forEach ? " for each item" : "";
  const consent = task?.approval ? "consent" : "";
  if (task?.workflow) return [consent, `workflow ${task.workflow}${items}`].filter(Boolean).join(", then ");
  const work = planned?.action ? `${planned.expert}.${planned.action}${items}` : "";
  return [consent, work].filter(Boolean).join(", then ");
}

function timeOf(task: Task | undefined, planned: PlannedTask | undefined): string {
  if (!task?.action) return "";
  return planned?.averageLatencyMs ? `about ${duration(planned.averageLatencyMs)}` : "not run yet";
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
