import { create, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type WorkflowChange, WorkflowChangeSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { TaskSchema, type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { canonical, isObject } from "./canonical.ts";

/**
 * What differs between two versions of a workflow, by path: `tasks.profile.retry.max_attempts`. Tasks are matched by their id, so that
 * one that only moved is no difference; objects are compared by key, lists as a whole. First the workflow's own fields, then its tasks
 * in their new order, each that is gone after those that stay.
 */
export function diffWorkflows(before: Workflow, after: Workflow): WorkflowChange[] {
  return [...differences("", headOf(before), headOf(after)), ...differences("tasks", tasksOf(before), tasksOf(after))];
}

function headOf(workflow: Workflow): JsonObject {
  return toJson(WorkflowSchema, { ...workflow, tasks: [] }, { useProtoFieldName: true }) as JsonObject;
}

function tasksOf(workflow: Workflow): JsonObject {
  const tasks = workflow.tasks.map((task): [string, JsonValue] => {
    const { id: _, ...fields } = toJson(TaskSchema, task, { useProtoFieldName: true }) as JsonObject;
    return [task.id, fields];
  });
  return Object.fromEntries(tasks);
}

function differences(path: string, before: JsonObject, after: JsonObject): WorkflowChange[] {
  const keys = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...keys].flatMap((key) => {
    const [was, is] = [own(before, key), own(after, key)];
    const place = join(path, key);
    if (isObject(was) && isObject(is)) return differences(place, was, is);
    const [wasText, isText] = [asText(was), asText(is)];
    return wasText === isText ? [] : [create(WorkflowChangeSchema, { path: place, before: wasText, after: isText })];
  });
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A key that would not read as one step of a path stands in brackets. */
function join(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function asText(value: JsonValue | undefined): string {
  return value === undefined ? "" : JSON.stringify(canonical(value));
}
