import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { ListValueSchema, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Failure } from "@odg/proto/odg/error/v1/error_pb";
import {
  SkipCause,
  TaskCompletedSchema,
  TaskExpandedSchema,
  TaskSkippedSchema,
  type TaskState,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import {
  bindText,
  DEFAULT_MAX_CONCURRENCY,
  type DispatchCommand,
  evaluateItems,
  evaluateWhen,
  type Scope,
} from "@odg/workflow";
import type { Blob } from "../store/store.ts";
import type { ActiveRun, EventKind } from "./active-run.ts";
import { approvalRequested } from "./approvals.ts";
import { detachItems } from "./blobs.ts";
import { argumentsOf, type ItemScope, type Materials, scopeOf, upstreamOf } from "./inputs.ts";

/** What a dispatch comes to before anybody works on it. */
export type Considered =
  | { kind: "settled"; event: EventKind; blobs?: Blob[] }
  | { kind: "failed"; failure: Failure }
  | { kind: "work"; input: JsonObject; upstream: Record<string, Value>; limit?: { key: string; atOnce: number } };

/** What there is to consider. */
export interface Consideration {
  run: ActiveRun;
  command: DispatchCommand;
  materials: Materials;
  /** The item, where it is one. */
  item?: ItemScope;
}

/**
 * Decides what a dispatched task or item needs now: to be skipped, a person's consent, to be taken apart into items, or an expert; and
 * binds its inputs. Where the materials turn out to miss something the answer means nothing.
 */
export function consider({ run, command, materials, item }: Consideration): Considered {
  const task = run.task(command.task);
  const scope = scopeOf(run, materials, item);
  if (!item) {
    const settled = beforeWork(run, command, { task, scope });
    if (settled) return settled;
  }
  const input = argumentsOf(run, command.task, scope);
  if (input.failure) return { kind: "failed", failure: input.failure };
  const upstream = upstreamOf(run, command.task, materials);
  if (!task.concurrency) return { kind: "work", input: input.value, upstream };
  const key = bindText(task.concurrency.key, scope, "concurrency.key");
  if (key.failure) return { kind: "failed", failure: key.failure };
  return { kind: "work", input: input.value, upstream, limit: { key: key.value, atOnce: task.concurrency.limit } };
}

interface Considering {
  task: Task;
  scope: Scope;
}

/** What ends the dispatch of a task, as opposed to an item, without any work; nothing where it is to be worked on. */
function beforeWork(
  run: ActiveRun,
  { task: number, attempt }: DispatchCommand,
  { task, scope }: Considering,
): Considered | undefined {
  // The condition is decided once: before the consent is asked for, and before the first attempt.
  const { machine } = run.projection;
  const decided = attempt > 1 || machine.approved(number) || machine.status(number) === TaskStatus.RUNNING;
  const when = decided ? { value: true } : evaluateWhen(task, scope);
  if (when.failure) return { kind: "failed", failure: when.failure };
  if (!when.value) {
    const value = create(TaskSkippedSchema, { task: number, cause: SkipCause.CONDITION });
    return { kind: "settled", event: { case: "taskSkipped", value } };
  }
  if (task.approval && !machine.approved(number)) {
    const question = bindText(task.approval.question, scope, "approval.question");
    if (question.failure) return { kind: "failed", failure: question.failure };
    return { kind: "settled", event: approvalRequested(run, number, question.value) };
  }
  if (!task.action && !task.workflow) {
    const state = run.projection.run().tasks[number];
    const value = create(TaskCompletedSchema, { task: number, attempt, ...consented(state) });
    return { kind: "settled", event: { case: "taskCompleted", value } };
  }
  return task.forEach ? expand(number, { task, scope }) : undefined;
}

/** The outcome of a task that is a consent and nothing else. */
function consented(state: TaskState | undefined) {
  const { decidedBy = "", reason = "" } = state?.approval ?? {};
  const output = fromJson(ValueSchema, { approved_by: decidedBy, reason });
  return { output, summary: `approved by ${decidedBy}` };
}

function expand(number: number, { task, scope }: Considering): Considered {
  const bound = evaluateItems(task, scope);
  if (bound.failure) return { kind: "failed", failure: bound.failure };
  const items = fromJson(ListValueSchema, bound.value);
  const maxConcurrency = task.forEach?.maxConcurrency || DEFAULT_MAX_CONCURRENCY;
  const value = create(TaskExpandedSchema, { task: number, count: bound.value.length, items, maxConcurrency });
  const blobs = detachItems(value);
  return { kind: "settled", event: { case: "taskExpanded", value }, blobs };
}
