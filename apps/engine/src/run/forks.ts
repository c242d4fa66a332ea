import { clone, create } from "@bufbuild/protobuf";
import type { ForkRunRequest } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Run, type RunStarted, SkipCause, type TaskState, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { closest } from "@odg/workflow";
import type { Application } from "./admission.ts";

/** A run that ended, as its journal tells. */
export interface Source {
  started: RunStarted;
  run: Run;
}

/**
 * The run that takes over what another one finished: all of it but the tasks that failed and what depends on them, or but one that is
 * named and what depends on that. Where inputs are edited, consents before those tasks are asked for again.
 *
 * @throws ConnectError with STATE_INVALID or NOT_FOUND
 */
export function forkOf({ started, run }: Source, request: ForkRunRequest, user: string): Application {
  if (!run.endTime) {
    throw reject(Reason.STATE_INVALID, { message: "the run has not ended; cancel it first, or wait", field: "run_id" });
  }
  const workflow = clone(WorkflowSchema, started.workflow ?? create(WorkflowSchema));
  const first = request.fromTask ? numberOf(workflow, request.fromTask) : undefined;
  if (request.taskInputs) {
    const task = workflow.tasks[first ?? -1];
    if (!task)
      throw reject(Reason.FIELD_FORMAT, { message: "name the task whose inputs these are", field: "from_task" });
    task.inputs = request.taskInputs;
  }
  const wanted = first === undefined ? unfinished(run) : [first];
  const edited = request.taskInputs !== undefined || Object.keys(request.inputs ?? {}).length > 0;
  const again = behind(workflow, edited ? [...wanted, ...consentsBefore(workflow, wanted)] : wanted);
  if (again.size === 0) {
    throw reject(Reason.STATE_INVALID, {
      message: "every task of the run has succeeded",
      field: "from_task",
      hint: "Name the task that is to be worked for again.",
    });
  }
  const reused = run.tasks.flatMap(({ status }, number) =>
    status === TaskStatus.SUCCEEDED && !again.has(number) ? [number] : [],
  );
  return {
    workflow,
    inputs: { ...(started.inputs ?? {}), ...(request.inputs ?? {}) },
    labels: started.labels,
    user,
    priority: started.priority,
    requestId: request.requestId,
    fork: { from: run.runId, reused, pins: pinsOf(run.tasks, reused) },
  };
}

/** A task that its own condition skipped is asked again, and is no reason to work for others again. */
function unfinished({ tasks }: Run): number[] {
  return tasks.flatMap(({ status, skipCause }, number) =>
    status === TaskStatus.SUCCEEDED || skipCause === SkipCause.CONDITION ? [] : [number],
  );
}

/** What somebody consented to was another thing than what is worked for now: such tasks before these ask again. */
function consentsBefore(workflow: Workflow, tasks: readonly number[]): number[] {
  const asking = [...workflow.tasks.keys()].filter((number) => workflow.tasks[number]?.approval);
  return asking.filter((number) => {
    const later = behind(workflow, [number]);
    return tasks.some((task) => later.has(task));
  });
}

/** The tasks and all that depends on them. */
function behind({ tasks }: Workflow, first: readonly number[]): Set<number> {
  const numbers = new Map(tasks.map(({ id }, number) => [id, number]));
  const successors = tasks.map((): number[] => []);
  for (const [number, { dependsOn }] of tasks.entries())
    for (const id of dependsOn) successors[numbers.get(id) ?? number]?.push(number);
  const found = new Set(first);
  for (const number of found) for (const next of successors[number] ?? []) found.add(next);
  return found;
}

function numberOf({ tasks }: Workflow, id: string): number {
  const number = tasks.findIndex((task) => task.id === id);
  if (number >= 0) return number;
  const near = closest(
    id,
    tasks.map((task) => task.id),
  );
  throw reject(Reason.NOT_FOUND, {
    message: "the workflow has no such task",
    field: "from_task",
    ...(near ? { hint: `Did you mean "${near}"?` } : {}),
  });
}

function pinsOf(tasks: readonly TaskState[], reused: readonly number[]): Record<string, string> {
  return Object.fromEntries(
    reused.flatMap((number) => {
      const { taskId, expert } = tasks[number]!;
      return expert ? [[taskId, expert]] : [];
    }),
  );
}
