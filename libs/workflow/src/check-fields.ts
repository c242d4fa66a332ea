import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Retry, Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import validRange from "semver/ranges/valid.js";
import { checkRunControl, checkTaskControl } from "./check-control.ts";
import { checkLimit, secondsOf } from "./check-limit.ts";
import { type IssueList, quote } from "./issue.ts";

// The rules of workflow.proto, spelt here for texts that never pass a server.
const ID = /^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/;
const ID_HINT = "An id begins with a letter and has at most 63 letters, digits, _ and -.";
const MAX_NAME = 128;
const MAX_DESCRIPTION = 2000;
const MAX_ATTEMPTS = 100;
const MAX_TIMEOUT_SECONDS = 86_400;

/** Checks every field by itself: formats, lengths, ranges; and that task ids are unique. */
export function checkFields(workflow: Workflow, issues: IssueList): void {
  const { workflowId, description, tasks } = workflow;
  if (!ID.test(workflowId)) {
    issues.add("workflow_id", Reason.FIELD_FORMAT, `${quote(workflowId)} is no valid id.`, { hint: ID_HINT });
  }
  if (description.length > MAX_DESCRIPTION) {
    issues.add("description", Reason.FIELD_FORMAT, `The description is longer than ${MAX_DESCRIPTION} characters.`);
  }
  if (tasks.length === 0) {
    issues.add("tasks", Reason.DAG_INVALID, "The workflow has no tasks.", { hint: "Add one." });
  }
  checkRunControl(workflow, issues);
  const first = new Map<string, number>();
  tasks.forEach((task, number) => {
    checkTask(task, `tasks[${number}]`, issues);
    const before = first.get(task.id);
    if (before === undefined) first.set(task.id, number);
    else
      issues.add(`tasks[${number}].id`, Reason.DAG_INVALID, `tasks[${before}] has the id ${quote(task.id)} already.`);
  });
}

function checkTask(task: Task, path: string, issues: IssueList): void {
  if (!ID.test(task.id)) {
    issues.add(`${path}.id`, Reason.FIELD_FORMAT, `${quote(task.id)} is no valid id.`, { hint: ID_HINT });
  }
  for (const field of ["action", "expert", "version", "workflow"] as const) {
    if (task[field].length <= MAX_NAME) continue;
    issues.add(`${path}.${field}`, Reason.FIELD_FORMAT, `${field} is longer than ${MAX_NAME} characters.`);
  }
  if (task.version.length <= MAX_NAME && validRange(task.version) === null) {
    issues.add(`${path}.version`, Reason.FIELD_FORMAT, `${quote(task.version)} is no version range.`, {
      hint: 'Write a semver range, such as "^1.2.0".',
    });
  }
  const limits = { timeout: task.timeout, queue_timeout: task.queueTimeout, idle_timeout: task.idleTimeout };
  for (const [field, limit] of Object.entries(limits)) {
    if (limit !== undefined) checkLimit(limit, { path: `${path}.${field}`, most: MAX_TIMEOUT_SECONDS }, issues);
  }
  if (task.retry !== undefined) checkRetry(task.retry, `${path}.retry`, issues);
  checkTaskControl(task, path, issues);
}

function checkRetry(retry: Retry, path: string, issues: IssueList): void {
  if (retry.maxAttempts > MAX_ATTEMPTS) {
    issues.add(`${path}.max_attempts`, Reason.FIELD_FORMAT, `A task has at most ${MAX_ATTEMPTS} attempts.`);
  }
  const { initialInterval: initial, maxInterval: longest } = retry;
  if (initial !== undefined && secondsOf(initial) < 0) {
    issues.add(`${path}.initial_interval`, Reason.FIELD_FORMAT, "An interval is not negative.");
  }
  if (longest === undefined) return;
  if (secondsOf(longest) < 0) {
    issues.add(`${path}.max_interval`, Reason.FIELD_FORMAT, "An interval is not negative.");
  } else if (initial !== undefined && secondsOf(longest) < secondsOf(initial)) {
    issues.add(`${path}.max_interval`, Reason.FIELD_FORMAT, "max_interval is shorter than initial_interval.");
  }
}
