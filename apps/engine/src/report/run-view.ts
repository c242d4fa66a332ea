import { type Timestamp, timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Report, type Run, RunStatus, type TaskState, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { viewDataset } from "./dataset-view.ts";
import { groupFindings } from "./finding-view.ts";
import { formatDuration, plural } from "./quantity.ts";
import { taskNote } from "./task-note.ts";
import { visible, visibleProse } from "./visible.ts";
import { type Mark, runMark, severityMark, taskMark } from "./vocabulary.ts";

/** The head of a report in words; every text is free of unseen characters, and not yet escaped for any format. */
export interface RunView {
  mark: Mark;
  /** Id of the workflow. */
  title: string;
  description: string;
  /** `customer_transactions: 200,000 rows × 15 columns, 14.3 MB Parquet in 1 file`. */
  datasets: string[];
  /** How long it took; empty while it runs. */
  duration: string;
  /** Findings per severity, worst first: `2 errors`. */
  counts: { mark: Mark; count: number; text: string }[];
  headlines: HeadlineView[];
  failures: FailureView[];
  tasks: TaskView[];
}

/** One line of the head. */
export interface HeadlineView {
  mark: Mark;
  taskId: string;
  text: string;
}

/** Why a task failed. */
export interface FailureView {
  taskId: string;
  /** `DATA_CORRUPT`. */
  reason: string;
  message: string;
  subject: string;
  hint: string;
  /** `after 3 attempts`; empty after one. */
  attempts: string;
}

/** One task: times in milliseconds since the run began. */
export interface TaskView {
  mark: Mark;
  id: string;
  /** `SecurityExpert@1.0.0`; as the workflow names it where no attempt began. */
  expert: string;
  action: string;
  attempts: number;
  findings: number;
  ready?: number;
  start?: number;
  end?: number;
  /** Place of its predecessors in the list of tasks. */
  dependsOn: number[];
  /** How it came about, where that is worth a word: `approved by bob: it is fine`. */
  note: string;
  /** Whether it is on the chain of tasks that decided when the run ended. */
  critical: boolean;
}

/** The words of a run and of its tasks. */
export function viewRun(report: Report): RunView {
  const { run, workflow } = report;
  const states = run?.tasks ?? [];
  const duration = span(run?.createTime, run?.endTime);
  return {
    mark: runMark(run?.status ?? RunStatus.UNSPECIFIED),
    title: visible(run?.workflowId || workflow?.workflowId || "run"),
    description: visibleProse(workflow?.description ?? ""),
    datasets: report.profiles.map(viewDataset).map(({ name, shape, storage }) => `${name}: ${shape}, ${storage}`),
    duration: duration === undefined ? "" : formatDuration(duration),
    counts: groupFindings(report).map(({ mark, findings }) => ({
      ...{ mark, count: findings.length, text: countText(mark, findings.length) },
    })),
    headlines: report.headlines.map(({ taskId, severity, text }) => {
      const status = states.find((task) => task.taskId === taskId)?.status ?? TaskStatus.SUCCEEDED;
      const mark = status === TaskStatus.SUCCEEDED ? severityMark(severity) : taskMark(status);
      return { mark, taskId: visible(taskId), text: visibleProse(text) };
    }),
    failures: failures(states, run),
    tasks: viewTasks(report),
  };
}

/** A time as people read it, in UTC: `2026-11-23 09:30:02 UTC`; empty where it is unset. */
export function formatTime(time: Timestamp | undefined): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Name of a reason as it travels on the wire: `DATA_CORRUPT`. */
export function reasonName(reason: Reason): string {
  return Reason[reason] ?? `REASON_${reason}`;
}

function countText(mark: Mark, count: number): string {
  const word = mark.word === "OK" ? "OK" : mark.word.toLowerCase();
  const uncounted = mark.tone === "ok" || mark.tone === "info" || mark.tone === "critical";
  return plural(count, word, uncounted ? word : `${word}s`);
}

function failures(states: TaskState[], run: Run | undefined): FailureView[] {
  const failed = states.filter((task) => task.status === TaskStatus.FAILED);
  const views = failed.map((task) => ({
    taskId: visible(task.taskId),
    reason: reasonName(task.failure?.reason ?? Reason.UNSPECIFIED),
    message: visibleProse(task.failure?.message || "The expert gave no cause."),
    subject: visible(task.failure?.subject ?? ""),
    hint: visibleProse(task.failure?.hint ?? ""),
    attempts: task.attempts > 1 ? `after ${task.attempts} attempts` : "",
  }));
  if (views.length > 0 || run?.failure === undefined) return views;
  const { reason, message, subject, hint } = run.failure;
  return [
    {
      ...{ taskId: "", reason: reasonName(reason), attempts: "" },
      ...{ message: visibleProse(message), subject: visible(subject), hint: visibleProse(hint) },
    },
  ];
}

function viewTasks(report: Report): TaskView[] {
  const states = report.run?.tasks ?? [];
  const definitions = new Map(report.workflow?.tasks.map((task) => [task.id, task]));
  const places = new Map(states.map((task, place) => [task.taskId, place]));
  const since = (time: Timestamp | undefined): number | undefined => span(report.run?.createTime, time);
  const views = states.map((task): TaskView => {
    const definition = definitions.get(task.taskId);
    return {
      mark: taskMark(task.status),
      id: visible(task.taskId),
      expert: visible(task.expert || definition?.expert || ""),
      action: visible(task.action || definition?.action || ""),
      attempts: task.attempts,
      findings: report.findings.filter((found) => found.taskId === task.taskId).length,
      ...{ ready: since(task.readyTime), start: since(task.startTime), end: since(task.endTime) },
      dependsOn: (definition?.dependsOn ?? []).flatMap((id) => places.get(id) ?? []),
      note: taskNote(task),
      critical: false,
    };
  });
  markCritical(views);
  return views;
}

/** From the task that ended last, back along the predecessor that ended last each time. */
function markCritical(tasks: TaskView[]): void {
  let current = lastToEnd(tasks);
  while (current !== undefined && !current.critical) {
    current.critical = true;
    current = lastToEnd(current.dependsOn.flatMap((place) => tasks[place] ?? []));
  }
}

function lastToEnd(tasks: TaskView[]): TaskView | undefined {
  return tasks
    .filter((task) => task.end !== undefined && task.start !== undefined)
    .reduce<TaskView | undefined>((last, task) => (last && last.end! >= task.end! ? last : task), undefined);
}

function span(from: Timestamp | undefined, to: Timestamp | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  return Math.max(0, timestampMs(to) - timestampMs(from));
}
