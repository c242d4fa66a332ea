import { clone, create, toJsonString } from "@bufbuild/protobuf";
import { type DatasetProfile, DatasetProfileSchema } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ContextEntry, ContextEntrySchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { type Finding, FindingSchema, Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import {
  type Headline,
  HeadlineSchema,
  type Report,
  ReportSchema,
  type Run,
  RunSchema,
  SkipCause,
  type TaskState,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { objectWithoutCredentials, withoutCredentials } from "./credentials.ts";
import { plural } from "./quantity.ts";

/** What a report is made of, as the journal's projection gives it. */
export interface ReportInput {
  run: Run;
  workflow: Workflow;
  /** In any order. */
  findings: readonly FoundBy[];
  /** In any order. */
  profiles: readonly DatasetProfile[];
  /** In any order. */
  context: readonly ContextEntry[];
}

/** A finding, the task that found it and the expert that worked on it (`SecurityExpert@1.0.0`). */
export interface FoundBy {
  taskId: string;
  expert: string;
  finding: Finding;
}

/**
 * Orders what a run found for a reader. Pure: equal input gives an equal report, whatever the order in which tasks
 * ended; the input is copied, never changed.
 *
 * Findings stand by severity (worst first), confidence (surest first), task (order of the workflow), rule, subject, and
 * at last their own text, which makes the order total. What grants access in the URI of an input is left out.
 */
export function assembleReport(input: ReportInput): Report {
  const places = new Map(input.workflow.tasks.map((task, place) => [task.id, place]));
  const findings = input.findings
    .map((found) => ({ ...found, place: places.get(found.taskId) ?? places.size, text: canonical(found.finding) }))
    .sort(compareFindings);
  return create(ReportSchema, {
    run: shownRun(input.run),
    workflow: shownWorkflow(input.workflow),
    headlines: input.run.tasks.map((task) => headline(task, input)),
    findings: findings.map(({ finding, taskId, expert }) => ({
      finding: clone(FindingSchema, finding),
      taskId,
      expert,
    })),
    profiles: input.profiles.map(shownProfile).sort((a, b) => compareText(a.dataset?.uri ?? "", b.dataset?.uri ?? "")),
    context: input.context.map((entry) => clone(ContextEntrySchema, entry)).sort((a, b) => compareText(a.key, b.key)),
  });
}

/** A copy without the passwords and tokens that an input's URI may carry. */
function shownRun(run: Run): Run {
  const copy = clone(RunSchema, run);
  if (copy.inputs !== undefined) copy.inputs = objectWithoutCredentials(copy.inputs);
  for (const failure of [copy.failure, ...copy.tasks.map((task) => task.failure)]) {
    if (failure === undefined) continue;
    failure.message = withoutCredentials(failure.message);
    failure.subject = withoutCredentials(failure.subject);
  }
  return copy;
}

function shownWorkflow(workflow: Workflow): Workflow {
  const copy = clone(WorkflowSchema, workflow);
  for (const holder of [copy, ...copy.tasks]) {
    if (holder.inputs !== undefined) holder.inputs = objectWithoutCredentials(holder.inputs);
  }
  return copy;
}

function shownProfile(profile: DatasetProfile): DatasetProfile {
  const copy = clone(DatasetProfileSchema, profile);
  if (copy.dataset !== undefined) {
    copy.dataset.uri = withoutCredentials(copy.dataset.uri);
    copy.dataset.name = withoutCredentials(copy.dataset.name);
  }
  return copy;
}

interface Placed extends FoundBy {
  place: number;
  text: string;
}

function compareFindings(a: Placed, b: Placed): number {
  return (
    b.finding.severity - a.finding.severity ||
    confidence(b.finding) - confidence(a.finding) ||
    a.place - b.place ||
    compareText(a.taskId, b.taskId) ||
    compareText(a.finding.ruleId, b.finding.ruleId) ||
    compareText(a.finding.subject?.kind ?? "", b.finding.subject?.kind ?? "") ||
    compareText(a.finding.subject?.name ?? "", b.finding.subject?.name ?? "") ||
    compareText(a.text, b.text)
  );
}

/** By UTF-16 units: no locale, the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** NaN would make the order depend on the input's. */
function confidence(finding: Finding): number {
  return Number.isNaN(finding.confidence) ? -1 : finding.confidence;
}

/** The finding without the number that the engine gave it, so that the order of arrival does not show. */
function canonical(finding: Finding): string {
  return toJsonString(FindingSchema, { ...finding, id: "" });
}

function headline(task: TaskState, input: ReportInput): Headline {
  const own = input.findings.filter((found) => found.taskId === task.taskId).map((found) => found.finding);
  const worst = own.reduce<Severity>((most, finding) => Math.max(most, finding.severity), Severity.UNSPECIFIED);
  const { severity, text } = verdict(task, { worst, count: own.length, input });
  return create(HeadlineSchema, { taskId: task.taskId, severity, text });
}

interface Scene {
  worst: Severity;
  count: number;
  input: ReportInput;
}

function verdict(task: TaskState, scene: Scene): { severity: Severity; text: string } {
  switch (task.status) {
    case TaskStatus.SUCCEEDED:
      return { severity: scene.worst || Severity.OK, text: task.summary || tally(scene.count) };
    case TaskStatus.FAILED:
      return { severity: Math.max(scene.worst, Severity.ERROR), text: failureText(task) };
    case TaskStatus.SKIPPED:
      return skipped(task, scene.input);
    case TaskStatus.CANCELLED:
      return { severity: Math.max(scene.worst, Severity.WARNING), text: "Cancelled with the run" };
    case TaskStatus.RUNNING:
      return { severity: scene.worst, text: "Still running" };
    case TaskStatus.WAITING_RETRY:
      return { severity: scene.worst, text: `${failureText(task)} Will be tried again.` };
    default:
      return { severity: scene.worst, text: "Not started yet" };
  }
}

function tally(count: number): string {
  return count === 0 ? "Nothing to report" : plural(count, "finding");
}

function failureText(task: TaskState): string {
  const cause = withoutCredentials(task.failure?.message || "The expert gave no cause.");
  const reason = task.failure?.reason ?? Reason.UNSPECIFIED;
  const attempts = task.attempts > 1 ? ` after ${task.attempts} attempts` : "";
  const name = reason === Reason.UNSPECIFIED ? "" : ` (${Reason[reason]})`;
  return `Failed${attempts}${name}: ${cause}`;
}

function skipped(task: TaskState, input: ReportInput): { severity: Severity; text: string } {
  if (task.skipCause === SkipCause.CONDITION) {
    return { severity: Severity.INFO, text: "Skipped: its condition was false" };
  }
  const needed = new Set(input.workflow.tasks.find((each) => each.id === task.taskId)?.dependsOn);
  const missing = input.run.tasks.filter((each) => needed.has(each.taskId) && each.status !== TaskStatus.SUCCEEDED);
  const names = missing.map((each) => `${each.taskId} ${each.status === TaskStatus.FAILED ? "failed" : "did not run"}`);
  return { severity: Severity.WARNING, text: `Skipped: ${names.join(", ") || "a task before it did not succeed"}` };
}
