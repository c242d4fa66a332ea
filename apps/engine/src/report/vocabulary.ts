import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";

/** How a mark looks: each rendering maps a tone to colours of its own. */
export type Tone = "critical" | "error" | "warning" | "ok" | "info" | "active" | "idle";

/** Icon, word and tone of a state. Never the tone alone: colour is not enough for everyone. */
export interface Mark {
  /** One character, one column wide in a terminal. */
  icon: string;
  /** The word beside the icon. */
  word: string;
  tone: Tone;
}

/** Severities as a reader meets them, worst first. */
export const SEVERITIES: readonly Severity[] = [
  Severity.CRITICAL,
  Severity.ERROR,
  Severity.WARNING,
  Severity.OK,
  Severity.INFO,
  Severity.UNSPECIFIED,
];

const SEVERITY_MARKS: Record<Severity, Mark> = {
  [Severity.CRITICAL]: { icon: "‼", word: "Critical", tone: "critical" },
  [Severity.ERROR]: { icon: "✖", word: "Error", tone: "error" },
  [Severity.WARNING]: { icon: "▲", word: "Warning", tone: "warning" },
  [Severity.OK]: { icon: "✔", word: "OK", tone: "ok" },
  [Severity.INFO]: { icon: "•", word: "Info", tone: "info" },
  [Severity.UNSPECIFIED]: { icon: "○", word: "Open", tone: "idle" },
};

const TASK_MARKS: Record<TaskStatus, Mark> = {
  [TaskStatus.UNSPECIFIED]: { icon: "○", word: "Unknown", tone: "idle" },
  [TaskStatus.PENDING]: { icon: "○", word: "Pending", tone: "idle" },
  [TaskStatus.READY]: { icon: "◌", word: "Queued", tone: "idle" },
  [TaskStatus.RUNNING]: { icon: "▶", word: "Running", tone: "active" },
  [TaskStatus.SUCCEEDED]: { icon: "✔", word: "Succeeded", tone: "ok" },
  [TaskStatus.FAILED]: { icon: "✖", word: "Failed", tone: "error" },
  [TaskStatus.SKIPPED]: { icon: "⊘", word: "Skipped", tone: "warning" },
  [TaskStatus.CANCELLED]: { icon: "■", word: "Cancelled", tone: "idle" },
  [TaskStatus.WAITING_RETRY]: { icon: "↻", word: "Waits for retry", tone: "active" },
  [TaskStatus.WAITING_APPROVAL]: { icon: "?", word: "Waits for consent", tone: "warning" },
};

const RUN_MARKS: Record<RunStatus, Mark> = {
  [RunStatus.UNSPECIFIED]: { icon: "○", word: "Unknown", tone: "idle" },
  [RunStatus.RUNNING]: { icon: "▶", word: "Running", tone: "active" },
  [RunStatus.SUCCEEDED]: { icon: "✔", word: "Succeeded", tone: "ok" },
  [RunStatus.FAILED]: { icon: "✖", word: "Failed", tone: "error" },
  [RunStatus.CANCELLED]: { icon: "■", word: "Cancelled", tone: "idle" },
  [RunStatus.PAUSED]: { icon: "‖", word: "Paused", tone: "idle" },
};

/** Mark of a severity; one that a newer expert invented reads as open. */
export function severityMark(severity: Severity): Mark {
  return SEVERITY_MARKS[severity] ?? SEVERITY_MARKS[Severity.UNSPECIFIED];
}

/** Mark of a task's status. */
export function taskMark(status: TaskStatus): Mark {
  return TASK_MARKS[status] ?? TASK_MARKS[TaskStatus.UNSPECIFIED];
}

/** Mark of a run's status. */
export function runMark(status: RunStatus): Mark {
  return RUN_MARKS[status] ?? RUN_MARKS[RunStatus.UNSPECIFIED];
}
