import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Approval, Concurrency, ForEach, Retry, Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { checkLimit } from "./check-limit.ts";
import { type IssueList, quote } from "./issue.ts";
import { MAX_ITEMS } from "./items.ts";
import { TRIGGER_RULES } from "./trigger.ts";

// As in check-fields.ts: the rules of workflow.proto, spelt here for texts that never pass a server.
const FAILURE_POLICIES = ["continue", "fail_fast"];
const MAX_RUN_SECONDS = 31_536_000;
const MAX_BACKOFF = 100;
const MAX_PEOPLE = 100;
const MAX_PERSON = 256;
const MAX_QUESTION = 2000;
const MAX_EXPRESSION = 10_000;
const MAX_KEY = 256;
const MAX_LIMIT = 10_000;
const MAX_REASONS = 100;

const REASONS = Object.keys(Reason).filter((name) => /^[A-Z]/.test(name) && name !== "UNSPECIFIED");

/** Checks the fields of a workflow that control how its runs go. */
export function checkRunControl({ timeout, onFailure }: Workflow, issues: IssueList): void {
  if (timeout !== undefined) checkLimit(timeout, { path: "timeout", most: MAX_RUN_SECONDS }, issues);
  checkName(onFailure, { path: "on_failure", what: "failure policy", known: FAILURE_POLICIES }, issues);
}

/** Checks the fields of a task that control when, how often, and for what it runs. */
export function checkTaskControl(task: Task, path: string, issues: IssueList): void {
  checkName(task.triggerRule, { path: `${path}.trigger_rule`, what: "trigger rule", known: TRIGGER_RULES }, issues);
  checkWork(task, path, issues);
  if (task.retry !== undefined) checkRetryReasons(task.retry, `${path}.retry`, issues);
  if (task.forEach !== undefined) checkForEach(task.forEach, `${path}.for_each`, issues);
  if (task.approval !== undefined) checkApproval(task.approval, `${path}.approval`, issues);
  if (task.concurrency !== undefined) checkConcurrency(task.concurrency, `${path}.concurrency`, issues);
}

interface Named {
  path: string;
  what: string;
  known: readonly string[];
}

function checkName(name: string, { path, what, known }: Named, issues: IssueList): void {
  if (name === "" || known.includes(name)) return;
  const hint = issues.didYouMean(name, known) ?? `Known: ${known.join(", ")}.`;
  issues.add(path, Reason.FIELD_FORMAT, `There is no ${what} ${quote(name)}.`, { hint });
}

/** What the task does: an action, a workflow, or nothing but asking. */
function checkWork(task: Task, path: string, issues: IssueList): void {
  const { id, action, workflow, approval, forEach } = task;
  if (action !== "" && workflow !== "") {
    const hint = "Remove one of them.";
    issues.add(`${path}.workflow`, Reason.FIELD_FORMAT, `Task ${quote(id)} has an action and a workflow.`, { hint });
  }
  if (action === "" && workflow === "" && approval === undefined) {
    const hint = "Name an action of the expert, a capability, or a workflow.";
    issues.add(`${path}.action`, Reason.FIELD_FORMAT, `Task ${quote(id)} has no action.`, { hint });
  }
  if (action === "" && workflow === "" && approval !== undefined && forEach !== undefined) {
    issues.add(`${path}.for_each`, Reason.FIELD_FORMAT, "An approval alone has no items.");
  }
  if (workflow === "" && task.workflowVersion !== "") {
    issues.add(`${path}.workflow_version`, Reason.FIELD_FORMAT, "There is a version, and no workflow.");
  }
  if (action === "" && task.expert !== "" && (workflow !== "" || approval !== undefined)) {
    issues.add(`${path}.expert`, Reason.FIELD_FORMAT, "A task without an action has no expert.");
  }
}

function checkRetryReasons({ backoff, retryOn, giveUpOn }: Retry, path: string, issues: IssueList): void {
  if (!(backoff >= 0 && backoff <= MAX_BACKOFF))
    issues.add(`${path}.backoff`, Reason.FIELD_FORMAT, `A factor is from 0 to ${MAX_BACKOFF}.`);
  const lists = { retry_on: retryOn, give_up_on: giveUpOn };
  for (const [field, names] of Object.entries(lists)) {
    if (names.length > MAX_REASONS)
      issues.add(`${path}.${field}`, Reason.FIELD_FORMAT, `A task names at most ${MAX_REASONS} reasons.`);
    names.slice(0, MAX_REASONS).forEach((name, i) => {
      if (REASONS.includes(name)) return;
      const hint = issues.didYouMean(name, REASONS);
      issues.add(`${path}.${field}[${i}]`, Reason.FIELD_FORMAT, `There is no reason ${quote(name)}.`, { hint });
    });
  }
  const both = giveUpOn.findIndex((name) => retryOn.includes(name));
  if (both !== -1)
    issues.add(`${path}.give_up_on[${both}]`, Reason.FIELD_FORMAT, `${quote(giveUpOn[both]!)} is in retry_on too.`);
}

function checkForEach({ items, maxConcurrency, maxItems }: ForEach, path: string, issues: IssueList): void {
  if (items === "") issues.add(`${path}.items`, Reason.FIELD_FORMAT, "There is no expression for the items.");
  if (items.length > MAX_EXPRESSION)
    issues.add(`${path}.items`, Reason.FIELD_FORMAT, `items is longer than ${MAX_EXPRESSION} characters.`);
  for (const [field, value] of Object.entries({ max_concurrency: maxConcurrency, max_items: maxItems })) {
    if (value > MAX_ITEMS) issues.add(`${path}.${field}`, Reason.FIELD_FORMAT, `${field} is at most ${MAX_ITEMS}.`);
  }
}

function checkApproval(approval: Approval, path: string, issues: IssueList): void {
  const { approvers, question, deadline, escalateTo } = approval;
  if (question.length > MAX_QUESTION)
    issues.add(`${path}.question`, Reason.FIELD_FORMAT, `The question is longer than ${MAX_QUESTION} characters.`);
  if (deadline !== undefined) checkLimit(deadline, { path: `${path}.deadline`, most: MAX_RUN_SECONDS }, issues);
  if (deadline === undefined && escalateTo.length > 0) {
    const hint = "Set a deadline.";
    issues.add(`${path}.escalate_to`, Reason.FIELD_FORMAT, "Without a deadline it never escalates.", { hint });
  }
  for (const [field, people] of Object.entries({ approvers, escalate_to: escalateTo })) {
    if (people.length > MAX_PEOPLE)
      issues.add(`${path}.${field}`, Reason.FIELD_FORMAT, `${field} names at most ${MAX_PEOPLE} people.`);
    const wrong = people.findIndex((name) => name === "" || name.length > MAX_PERSON);
    if (wrong !== -1)
      issues.add(`${path}.${field}[${wrong}]`, Reason.FIELD_FORMAT, `A name has 1 to ${MAX_PERSON} characters.`);
  }
}

function checkConcurrency({ key, limit }: Concurrency, path: string, issues: IssueList): void {
  if (key === "" || key.length > MAX_KEY)
    issues.add(`${path}.key`, Reason.FIELD_FORMAT, `A key has 1 to ${MAX_KEY} characters.`);
  if (limit < 1 || limit > MAX_LIMIT)
    issues.add(`${path}.limit`, Reason.FIELD_FORMAT, `A limit is from 1 to ${MAX_LIMIT}.`);
}
