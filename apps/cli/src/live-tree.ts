import {
  type Ephemeral,
  type Event,
  type ItemCounts,
  RunStatus,
  type TaskState,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { RunProjection } from "@odg/workflow";
import { createLogUpdate } from "log-update";
import { surroundings } from "./config.ts";
import { paint, say } from "./output.ts";

/** Shows a run while it goes on. */
export interface RunView {
  event(event: Event): void;
  ephemeral(ephemeral: Ephemeral): void;
  /** Stands still, so that somebody can be asked something. */
  suspend(): void;
  /** Goes on. */
  resume(): void;
  /** Leaves the last state on the screen. */
  done(): void;
}

/** For --quiet and --json. */
export const silentView: RunView = {
  event: () => undefined,
  ephemeral: () => undefined,
  suspend: () => undefined,
  resume: () => undefined,
  done: () => undefined,
};

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 80;

const LOOK: Record<TaskStatus, { icon: string; word: string; color: "dim" | "cyan" | "green" | "red" | "yellow" }> = {
  [TaskStatus.UNSPECIFIED]: { icon: "?", word: "unknown", color: "dim" },
  [TaskStatus.PENDING]: { icon: "○", word: "waits", color: "dim" },
  [TaskStatus.READY]: { icon: "◔", word: "queued", color: "cyan" },
  [TaskStatus.RUNNING]: { icon: "●", word: "runs", color: "cyan" },
  [TaskStatus.SUCCEEDED]: { icon: "✔", word: "done", color: "green" },
  [TaskStatus.FAILED]: { icon: "✖", word: "failed", color: "red" },
  [TaskStatus.SKIPPED]: { icon: "⤼", word: "skipped", color: "yellow" },
  [TaskStatus.CANCELLED]: { icon: "⊘", word: "cancelled", color: "yellow" },
  [TaskStatus.WAITING_RETRY]: { icon: "↻", word: "tries again", color: "yellow" },
  [TaskStatus.WAITING_APPROVAL]: { icon: "?", word: "waits for consent", color: "yellow" },
};

/** A line per change, for logs and pipes. */
export class LineView implements RunView {
  #projection = new RunProjection();
  #shown: TaskStatus[] = [];

  event(event: Event): void {
    this.#projection.apply(event);
    const change = changeOfRun(event);
    if (change) say(change);
    for (const [number, task] of this.#projection.run().tasks.entries()) {
      const before = this.#shown[number];
      this.#shown[number] = task.status;
      const worthwhile = task.status !== TaskStatus.PENDING && task.status !== TaskStatus.READY;
      if (before === task.status || !worthwhile) continue;
      say(`${LOOK[task.status].icon} ${task.taskId}: ${wordOf(task)}${tail(detailOf(task))}`);
    }
  }

  ephemeral(): void {}
  suspend(): void {}
  resume(): void {}
  done(): void {}
}

/** What happened to the run as a whole; nothing where only a task is concerned. */
function changeOfRun({ kind }: Event): string | undefined {
  switch (kind.case) {
    case "runPaused":
      return `‖ paused${by(kind.value.user)}${tail(kind.value.reason)}`;
    case "runResumed":
      return `▶ goes on${by(kind.value.user)}`;
    case "runCancelRequested":
      return `⊘ cancelled${by(kind.value.user)}${tail(kind.value.reason)}`;
    case "runTimedOut":
      return "⊘ the run took longer than it may";
    default:
      return undefined;
  }
}

function by(user: string): string {
  return user ? ` by ${user}` : "";
}

function wordOf({ status, reusedFrom, items }: TaskState): string {
  if (reusedFrom) return "taken over";
  return items ? `${LOOK[status].word} ${itemsText(items)}` : LOOK[status].word;
}

/** `12/40`, and how many have failed. */
function itemsText({ total, succeeded, failed }: ItemCounts): string {
  return `(${succeeded + failed}/${total}${failed > 0 ? `, ${failed} failed` : ""})`;
}

function detailOf({ status, summary, failure, approval }: TaskState): string | undefined {
  if (status === TaskStatus.WAITING_APPROVAL) return approval?.question;
  return summary || failure?.message;
}

function tail(text: string | undefined): string {
  return text ? ` – ${text}` : "";
}

/** The tasks as a tree, drawn over itself while they run. */
export class TreeView implements RunView {
  #projection = new RunProjection();
  #log = createLogUpdate(process.stderr);
  #progress = new Map<string, { fraction: number; message: string }>();
  #rows: { task: number; prefix: string }[] = [];
  #title = "";
  #still = false;
  #began = Date.now();
  #timer = setInterval(() => this.#draw(), FRAME_MS);

  constructor() {
    this.#timer.unref();
  }

  event(event: Event): void {
    this.#projection.apply(event);
    if (event.kind.case === "runStarted" && event.kind.value.workflow) {
      this.#rows = treeOf(event.kind.value.workflow);
      const dataset = event.kind.value.inputs?.dataset;
      this.#title =
        event.kind.value.workflow.workflowId +
        (typeof dataset === "string" ? ` · ${dataset.replace(/^.*[/\\]/, "")}` : "");
    }
    this.#draw();
  }

  ephemeral({ taskId, item, kind }: Ephemeral): void {
    // How far one item of many is says nothing about the task.
    if (kind.case === "progress" && item === 0) this.#progress.set(taskId, kind.value);
  }

  suspend(): void {
    this.#draw();
    this.#log.done();
    this.#still = true;
  }

  resume(): void {
    this.#still = false;
    this.#draw();
  }

  done(): void {
    clearInterval(this.#timer);
    this.#still = false;
    this.#draw();
    this.#log.done();
  }

  #draw(): void {
    if (this.#still) return;
    const { tasks, status } = this.#projection.run();
    const color = surroundings.stderrColor;
    const width = Math.max(
      0,
      ...this.#rows.map(({ task, prefix }) => prefix.length + (tasks[task]?.taskId.length ?? 0)),
    );
    const seconds = ((Date.now() - this.#began) / 1000).toFixed(1);
    const lines = this.#rows.map(({ task, prefix }) => {
      const state = tasks[task];
      if (!state) return "";
      const name = paint("dim", prefix, color) + state.taskId.padEnd(width - prefix.length);
      const look = LOOK[state.status];
      const running = state.status === TaskStatus.RUNNING;
      const icon = running ? (FRAMES[Math.floor(Date.now() / FRAME_MS) % FRAMES.length] ?? look.icon) : look.icon;
      const room = Math.max(10, (process.stderr.columns ?? 80) - width - 7);
      return `  ${name}  ${paint(look.color, `${icon} ${clip(this.#text(task), room)}`, color)}`;
    });
    const paused = status === RunStatus.PAUSED ? `  ${paint("yellow", "‖ paused", color)}` : "";
    const head = `${paint("bold", this.#title, color)}  ${paint("dim", `${seconds} s`, color)}${paused}`;
    this.#log([head, ...lines].join("\n"));
  }

  #text(task: number): string {
    const state = this.#projection.run().tasks[task];
    if (!state) return "";
    if (state.reusedFrom) return `taken over${tail(state.summary)}`;
    if (state.status === TaskStatus.WAITING_APPROVAL) return `${wordOf(state)}${tail(state.approval?.question)}`;
    const expert = state.expert.replace(/@.*/, "");
    if (state.status === TaskStatus.RUNNING) {
      const progress = this.#progress.get(state.taskId);
      const share = progress && progress.fraction > 0 ? ` ${Math.round(progress.fraction * 100)} %` : "";
      const items = state.items ? ` ${itemsText(state.items)}` : "";
      return `${expert}${items}${share}${tail(progress?.message)}`.trimStart();
    }
    return detailOf(state) || wordOf(state);
  }
}

/** A line that wraps would spoil the drawing. */
function clip(text: string, room: number): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > room ? `${line.slice(0, room - 1)}…` : line;
}

/** Rows of a tree in which every task stands below the last of its predecessors. */
export function treeOf(workflow: Workflow): { task: number; prefix: string }[] {
  const numbers = new Map(workflow.tasks.map(({ id }, number) => [id, number]));
  const children = new Map<number, number[]>();
  for (const [number, { dependsOn }] of workflow.tasks.entries()) {
    const parent = Math.max(-1, ...dependsOn.map((id) => numbers.get(id) ?? -1));
    children.set(parent, [...(children.get(parent) ?? []), number]);
  }
  const rows: { task: number; prefix: string }[] = [];
  const seen = new Set<number>();
  const walk = (parent: number, indent: string) => {
    const below = children.get(parent) ?? [];
    for (const [index, task] of below.entries()) {
      if (seen.has(task)) continue;
      seen.add(task);
      const last = index === below.length - 1;
      rows.push({ task, prefix: parent === -1 ? "" : `${indent}${last ? "└─ " : "├─ "}` });
      walk(task, parent === -1 ? "" : `${indent}${last ? "   " : "│  "}`);
    }
  };
  walk(-1, "");
  return rows;
}
