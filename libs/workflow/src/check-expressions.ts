import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import type { IssueList } from "./issue.ts";
import type { Graph } from "./topology.ts";

/** How the tasks hang together. `componentOf` is set where there are cycles. */
export interface Shape {
  graph: Graph;
  order: Uint32Array;
  componentOf?: Int32Array;
}

export function checkExpressions(_workflow: Workflow, _shape: Shape, _issues: IssueList): void {}
