import { TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** The attempts of one task or item, as a history tells them. */
export interface Attempts {
  /** Highest that began. */
  started: number;
  /** Highest that failed. */
  failed: number;
  /** Whether the next one waits for its time. */
  waits: boolean;
  /** Set once no other may follow. */
  end: "succeeded" | "failed" | undefined;
}

/** One task, as a history tells it. */
export interface TaskRecord {
  readonly task: Task;
  readonly before: readonly TaskRecord[];
  status: TaskStatus;
  /** Failed, or skipped because of a failure before it. */
  tainted: boolean;
  consent: "none" | "asked" | "granted" | "denied";
  /** Index 0 for the task itself. */
  readonly attempts: Attempts[];
  /** Set once its items are known. */
  items: { count: number; limit: number; active: number; succeeded: number } | undefined;
}

/** A record for each task of a workflow, none of which has begun. */
export function recordsOf(tasks: readonly Task[]): TaskRecord[] {
  const before = tasks.map((): TaskRecord[] => []);
  const records = tasks.map(
    (task, number): TaskRecord => ({
      task,
      before: before[number]!,
      status: TaskStatus.PENDING,
      tainted: false,
      consent: "none",
      attempts: [freshAttempts()],
      items: undefined,
    }),
  );
  const byId = new Map(records.map((record) => [record.task.id, record]));
  tasks.forEach(({ dependsOn }, number) => {
    before[number]!.push(...dependsOn.flatMap((id) => byId.get(id) ?? []));
  });
  return records;
}

/** No attempt yet. */
export function freshAttempts(): Attempts {
  return { started: 0, failed: 0, waits: false, end: undefined };
}

/** Whether the task has ended. */
export function isOver({ status }: TaskRecord): boolean {
  return status !== TaskStatus.PENDING;
}

/** Whether the task's trigger rule lets it begin, by how its predecessors stand. */
export function mayBegin({ task, before }: TaskRecord): boolean {
  switch (task.triggerRule) {
    case "all_done":
      return before.every(isOver);
    case "one_success":
      return before.length === 0 || before.some(succeeded);
    case "none_failed":
      return before.every(isOver) && !before.some(({ tainted }) => tainted);
    default:
      return before.every(succeeded);
  }
}

/** Whether the task's trigger rule can never let it begin any more. */
export function cannotBegin({ task, before }: TaskRecord): boolean {
  switch (task.triggerRule) {
    case "all_done":
      return false;
    case "one_success":
      return before.every(isOver) && !before.some(succeeded);
    case "none_failed":
      return before.some(({ tainted }) => tainted);
    default:
      return before.some((record) => isOver(record) && !succeeded(record));
  }
}

function succeeded({ status }: TaskRecord): boolean {
  return status === TaskStatus.SUCCEEDED;
}
