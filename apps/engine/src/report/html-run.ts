import type { ContextEntry } from "@odg/proto/odg/expert/v1/expert_pb";
import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import { dagSvg } from "./dag-svg.ts";
import { badge } from "./html-head.ts";
import { type Markup, markup } from "./markup.ts";
import { plainValue } from "./plain-value.ts";
import { formatDuration, plural } from "./quantity.ts";
import { formatTime, type RunView, type TaskView } from "./run-view.ts";
import { timelineSvg } from "./timeline-svg.ts";
import { clip, visible } from "./visible.ts";

/** Tasks up to which a drawing says more than the list of all tasks. */
const DRAWN = { graph: 60, timeline: 120 };
/** Longest shared value shown, in UTF-16 units; the JSON report has it whole. */
const VALUE_SHOWN = 2000;

/** The graph of the tasks, as they depend on each other. */
export function graphSection(tasks: readonly TaskView[]): Markup {
  return markup`<section id="graph" aria-labelledby="graph-title"><h2 id="graph-title">How it was examined</h2>${drawing(tasks, "graph", dagSvg)}
${tasks.length <= DRAWN.graph && tasks.some((task) => task.critical) && markup`<ul class="legend"><li><svg width="26" height="10" aria-hidden="true"><path class="edge critical" d="M0 5H26"/></svg>Critical path: the tasks that decided when the run ended</li></ul>`}</section>`;
}

/** When the tasks ran, as a drawing and as the list of all tasks. */
export function tasksSection(run: RunView, end: number): Markup {
  const { tasks } = run;
  return markup`<section id="tasks" aria-labelledby="tasks-title"><h2 id="tasks-title">How the run went</h2>
<ul class="legend"><li><svg width="26" height="12" aria-hidden="true"><rect class="wait" x="1" y="1" width="24" height="10"/></svg>waited for a free expert</li><li class="tone-ok"><svg width="26" height="12" aria-hidden="true"><rect class="ran" width="26" height="12" rx="2"/></svg>ran</li><li class="tone-ok"><svg class="critical" width="26" height="12" aria-hidden="true"><rect class="ran" x="1.5" y="1.5" width="23" height="9" rx="2"/></svg>ran, on the critical path</li></ul>
${drawing(tasks, "timeline", (drawn) => timelineSvg(drawn, end))}
<table class="stack" role="table"><caption>All tasks</caption><thead role="rowgroup"><tr role="row">${["Task", "Expert, action", "Status", "Waited", "Ran", "Attempts", "Findings"].map((name) => markup`<th role="columnheader" scope="col">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${tasks.map(row)}</tbody></table></section>`;
}

function drawing(
  tasks: readonly TaskView[],
  kind: keyof typeof DRAWN,
  draw: (tasks: readonly TaskView[]) => Markup,
): Markup {
  if (tasks.length === 0) return markup`<p class="dim">The run has no tasks.</p>`;
  if (tasks.length > DRAWN[kind]) {
    return markup`<p class="dim">${plural(tasks.length, "task")} are too many to draw: the list of all tasks has them.</p>`;
  }
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Drawing: ${kind} of the tasks">${draw(tasks)}</div>`;
}

function row(task: TaskView, place: number): Markup {
  const cells: [string, Markup | string][] = [
    ["Expert", markup`<span>${task.expert}<br><code>${task.action}</code></span>`],
    [
      "Status",
      task.note ? markup`<span>${badge(task.mark)}<br><span class="dim">${task.note}</span></span>` : badge(task.mark),
    ],
    ["Waited", elapsed(task.ready, task.start)],
    ["Ran", elapsed(task.start, task.end)],
    ["Attempts", String(task.attempts)],
    ["Findings", String(task.findings)],
  ];
  return markup`<tr role="row" id="task-${place}"><td role="cell" class="name">${task.id}</td>${cells.map(([label, cell]) => markup`<td role="cell" data-label="${label}"${label !== "Expert" && markup` class="short"`}>${cell}</td>`)}</tr>`;
}

function elapsed(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined ? "" : formatDuration(Math.max(0, to - from));
}

/** What the experts shared, each value with the task and the expert that wrote it. */
export function contextSection(entries: readonly ContextEntry[]): Markup | undefined {
  if (entries.length === 0) return undefined;
  return markup`<section id="context" aria-labelledby="context-title"><h2 id="context-title">What the experts shared</h2>
<details class="shared"><summary>${plural(entries.length, "value")}</summary><table class="stack" role="table"><thead role="rowgroup"><tr role="row">${["Key", "Value", "Written by", "Version"].map((name) => markup`<th role="columnheader" scope="col">${name}</th>`)}</tr></thead><tbody role="rowgroup">${entries.map(shared)}</tbody></table></details></section>`;
}

function shared(entry: ContextEntry): Markup {
  const value = JSON.stringify(plainValue(entry.value));
  return markup`<tr role="row"><td role="cell" class="name">${visible(entry.key)}</td><td role="cell" data-label="Value"><pre>${clip(visible(value), VALUE_SHOWN)}</pre></td><td role="cell" data-label="Written by">${visible(entry.taskId)}, ${visible(entry.expert)}</td><td role="cell" data-label="Version">${String(entry.version)}</td></tr>`;
}

/** What identifies the run and whoever worked on it. */
export function appendixSection({ run, findings }: Report): Markup {
  const experts = [...new Set(run?.tasks.map((task) => visible(task.expert)).filter(Boolean))].sort();
  const models = [...new Set(findings.map((found) => visible(found.finding?.model ?? "")).filter(Boolean))].sort();
  const labels = Object.entries(run?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs: [string, string][] = [
    ["Run", visible(run?.runId ?? "")],
    ["Workflow", `${visible(run?.workflowId ?? "")}, version ${visible(run?.workflowVersion ?? "") || "unknown"}`],
    ["Experts", experts.join(", ") || "none began"],
    ["Models", models.join(", ") || "none spoke: every finding is an analyzer's"],
    ["Inputs", visible(JSON.stringify(run?.inputs ?? {}))],
    ["Labels", labels.map(([key, value]) => `${visible(key)}=${visible(value)}`).join(", ") || "none"],
    ["Began", formatTime(run?.createTime) || "unknown"],
    ["Ended", formatTime(run?.endTime) || "under way"],
  ];
  return markup`<section id="about" aria-labelledby="about-title"><h2 id="about-title">About this run</h2><dl class="appendix">${pairs.map(([term, text]) => markup`<dt>${term}</dt><dd>${text}</dd>`)}</dl></section>`;
}
