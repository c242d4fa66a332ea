import type { ConnectRouter } from "@connectrpc/connect";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Plan, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import type { ExpertRegistry } from "../expert/registry.ts";
import { candidatesFor, needOf } from "../expert/router.ts";
import { pageSize, pageToken, placeOf } from "../page-token.ts";
import { adapterErrors } from "../run/failure.ts";
import type { Workflows } from "../workflows.ts";

/** odg.engine.v1.WorkflowService. */
export function workflowServiceRoutes(workflows: Workflows, registry: ExpertRegistry) {
  return (router: ConnectRouter): void => {
    router.service(
      WorkflowService,
      {
        validateWorkflow: ({ workflow }) => ({ issues: workflows.validate(given(workflow)) }),
        planWorkflow: async ({ source }) => {
          const workflow =
            source.case === "workflowId" ? (await workflows.get(source.value)).workflow : given(source.value);
          const plan = workflows.compile(workflow);
          return { workflow, plan, tasks: plannedTasks({ workflow, plan, registry }) };
        },
        publishWorkflow: async ({ workflow }) => ({ published: await workflows.publish(given(workflow)) }),
        getWorkflow: async ({ workflowId, version }) => ({ published: await workflows.read(workflowId, version) }),
        listWorkflowVersions: async (request) => {
          const list = `versions\n${request.workflowId}`;
          const limit = pageSize(request.pageSize);
          const before = placeOf(list, request.pageToken);
          const found = await workflows.versions(request.workflowId, {
            limit: limit + 1,
            ...(before ? { before } : {}),
          });
          const page = found.slice(0, limit);
          const last = page.at(-1)?.version;
          return { versions: page, nextPageToken: found.length > limit && last ? pageToken(list, last) : "" };
        },
        diffWorkflows: ({ workflowId, fromVersion, toVersion }) =>
          workflows.diff(workflowId, { from: fromVersion, to: toVersion }),
        deprecateWorkflow: async ({ workflowId, version, deprecation }) => ({
          published: await workflows.deprecate(workflowId, version, deprecation),
        }),
        saveDraft: async ({ workflow, etag }) => ({ draft: await workflows.saveDraft(given(workflow), etag) }),
        getDraft: async ({ workflowId }) => ({ draft: await workflows.draft(workflowId) }),
        deleteDraft: async ({ workflowId, etag }) => {
          await workflows.deleteDraft(workflowId, etag);
          return {};
        },
        listWorkflows: async (request) => {
          const limit = pageSize(request.pageSize);
          const after = placeOf("workflows", request.pageToken);
          const found = await workflows.list({ limit: limit + 1, ...(after ? { after } : {}) });
          const page = found.slice(0, limit);
          const last = page.at(-1)?.workflow?.workflowId;
          return { workflows: page, nextPageToken: found.length > limit && last ? pageToken("workflows", last) : "" };
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}

function given(workflow: Workflow | undefined): Workflow {
  if (workflow) return workflow;
  throw reject(Reason.FIELD_FORMAT, { message: "the request holds no workflow", field: "workflow" });
}

function plannedTasks({ workflow, plan, registry }: { workflow: Workflow; plan: Plan; registry: ExpertRegistry }) {
  const experts = registry.list();
  const critical = criticalPath(plan);
  return workflow.tasks.map((task, number) => {
    const [candidate] = candidatesFor(needOf(task), experts);
    return {
      taskId: task.id,
      expert: candidate?.expert.id ?? "",
      action: candidate?.action ?? task.action,
      onCriticalPath: critical.has(number),
      averageLatencyMs: candidate?.expert.averageLatencyMs ?? 0,
    };
  });
}

/** One longest path: from a task of the highest priority to a successor of the next lower one, to the end. */
function criticalPath({ order, priorities, successorOffsets, successors }: Plan): Set<number> {
  const highest = (tasks: readonly number[]) =>
    tasks.reduce((best, one) => ((priorities[one] ?? 0) > (priorities[best] ?? 0) ? one : best), tasks[0] ?? -1);
  const path = new Set<number>();
  for (let task = highest(order); task >= 0; ) {
    path.add(task);
    task = highest(successors.slice(successorOffsets[task], successorOffsets[task + 1]));
  }
  return path;
}
