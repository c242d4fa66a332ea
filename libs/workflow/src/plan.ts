import { create } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, type Plan, PlanSchema, type Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { checkExperts, type ExpertListing } from "./check-experts.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkFields } from "./check-fields.ts";
import { IssueList, quote } from "./issue.ts";
import { components, cycleThrough, type Graph, graphOf, longestPaths, topologicalOrder } from "./topology.ts";

/** Most tasks of a workflow. */
export const MAX_TASKS = 10_000;

/** Most edges (entries of `depends_on`) of a workflow. */
export const MAX_EDGES = 100_000;

/** Tasks of a cycle that are spelt out in its message. */
const SPELT_TASKS = 20;

/** What a workflow is checked against beside itself. */
export interface PlanOptions {
  /** The registered experts; where given, every task must find one. */
  experts?: readonly ExpertListing[];
}

/** A plan, or everything that is wrong. */
export type PlanResult = { plan: Plan; issues?: undefined } | { plan?: undefined; issues: Issue[] };

/**
 * Checks and compiles a workflow. All issues are reported at once (up to {@link MAX_ISSUES}), each with its path, reason, and a hint
 * where there is one. Linear in tasks and edges.
 */
export function plan(workflow: Workflow, options: PlanOptions = {}): PlanResult {
  const issues = new IssueList();
  if (isTooLarge(workflow, issues)) return { issues: issues.issues };
  checkFields(workflow, issues);
  const graph = checkEdges(workflow, issues);
  const order = topologicalOrder(graph);
  const parts = order.length < graph.count ? components(graph) : undefined;
  if (parts !== undefined) reportCycles(workflow, { graph, ...parts }, issues);
  checkExpressions(workflow, { graph, order, parts: parts?.members.toReversed() }, issues);
  if (options.experts !== undefined) checkExperts(workflow, options.experts, issues);
  if (issues.issues.length > 0) return { issues: issues.issues };
  return { plan: compile(graph, order) };
}

function isTooLarge(workflow: Workflow, issues: IssueList): boolean {
  const tasks = workflow.tasks.length;
  const edges = workflow.tasks.reduce((sum, task) => sum + task.dependsOn.length, 0);
  if (tasks > MAX_TASKS)
    issues.add("tasks", Reason.DAG_TOO_LARGE, `${tasks} tasks; a workflow has at most ${MAX_TASKS}.`);
  if (edges > MAX_EDGES)
    issues.add("tasks", Reason.DAG_TOO_LARGE, `${edges} edges; a workflow has at most ${MAX_EDGES}.`);
  return issues.issues.length > 0;
}

// Only sound edges enter the graph: self edges, duplicates and unknown ends are reported and left out.
function checkEdges(workflow: Workflow, issues: IssueList): Graph {
  const numbers = new Map<string, number>();
  workflow.tasks.forEach((task, number) => {
    if (!numbers.has(task.id)) numbers.set(task.id, number);
  });
  const ids = [...numbers.keys()];
  const sources: number[] = [];
  const sinks: number[] = [];
  const stranded: number[] = [];
  workflow.tasks.forEach((task, number) => {
    const seen = new Set<string>();
    task.dependsOn.forEach((id, place) => {
      const path = () => `tasks[${number}].depends_on[${place}]`;
      const source = numbers.get(id);
      if (id === task.id) {
        issues.add(path(), Reason.DAG_INVALID, `Task ${quote(id)} depends on itself.`, { hint: "Remove this entry." });
      } else if (seen.has(id)) {
        issues.add(path(), Reason.DAG_INVALID, `${quote(id)} is listed twice.`, { hint: "Remove one of the entries." });
      } else if (source === undefined) {
        issues.add(path(), Reason.DAG_INVALID, `There is no task ${quote(id)}.`, { hint: issues.didYouMean(id, ids) });
        if (stranded.at(-1) !== number) stranded.push(number);
      } else {
        sources.push(source);
        sinks.push(number);
      }
      seen.add(id);
    });
  });
  const graph = graphOf(workflow.tasks.length, sources, sinks);
  reportStuck(workflow, { graph, roots: stranded, why: "a task that does not exist" }, issues);
  return graph;
}

interface Knots {
  graph: Graph;
  of: Int32Array;
  members: number[][];
}

function reportCycles(workflow: Workflow, knots: Knots, issues: IssueList): void {
  const knotted: number[] = [];
  const cyclic = knots.members.filter((members) => members.length > 1);
  const starts = new Map(cyclic.map((members) => [members, Math.min(...members)]));
  for (const [members, start] of [...starts].sort(([, a], [, b]) => a - b)) {
    const cycle = cycleThrough(knots.graph, start, knots.of);
    const last = cycle.at(-2)!;
    const place = workflow.tasks[start]!.dependsOn.indexOf(workflow.tasks[last]!.id);
    issues.add(
      `tasks[${start}].depends_on[${place}]`,
      Reason.DAG_INVALID,
      `The tasks form a cycle: ${spell(workflow, cycle)}.`,
      {
        hint: "Remove one of these dependencies.",
      },
    );
    knotted.push(...members);
  }
  reportStuck(workflow, { graph: knots.graph, roots: knotted, why: "a cycle" }, issues);
}

function spell(workflow: Workflow, cycle: readonly number[]): string {
  const ids = cycle.map((number) => workflow.tasks[number]!.id);
  if (ids.length <= SPELT_TASKS) return ids.join(" -> ");
  return [...ids.slice(0, SPELT_TASKS - 1), `… ${ids.length - SPELT_TASKS} more`, ids.at(-1)].join(" -> ");
}

// Tasks behind the roots, the roots themselves left out: they can never start.
function reportStuck(
  workflow: Workflow,
  from: { graph: Graph; roots: number[]; why: string },
  issues: IssueList,
): void {
  const { offsets, targets } = from.graph;
  const seen = new Set(from.roots);
  const queue = [...seen];
  for (const v of queue) {
    for (let i = offsets[v]!; i < offsets[v + 1]!; i++) {
      const next = targets[i]!;
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
      const message = `Task ${quote(workflow.tasks[next]!.id)} can never start: it waits, through ${quote(workflow.tasks[v]!.id)}, for ${from.why}.`;
      issues.add(`tasks[${next}]`, Reason.DAG_INVALID, message);
    }
  }
}

// A predecessor's longest path is longer than its successors', so sorting by it gives an order that is topological and puts the
// critical path first. Rows that are filled in that order come out sorted by priority too.
function compile(graph: Graph, order: Uint32Array): Plan {
  const priorities = longestPaths(graph, order);
  const ranked = order.toSorted((a, b) => priorities[b]! - priorities[a]! || a - b);
  const place = graph.offsets.slice();
  const successors = new Array<number>(graph.sources.length);
  for (const v of ranked) {
    for (let i = graph.sourceOffsets[v]!; i < graph.sourceOffsets[v + 1]!; i++)
      successors[place[graph.sources[i]!]!++] = v;
  }
  return create(PlanSchema, {
    inDegrees: [...graph.inDegrees],
    successorOffsets: [...graph.offsets],
    successors,
    priorities: [...priorities],
    order: [...ranked],
  });
}
