import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import { type ColumnView, type DatasetView, viewDataset } from "./dataset-view.ts";
import {
  asksForAction,
  type EvidenceView,
  type FindingGroup,
  type FindingView,
  groupFindings,
} from "./finding-view.ts";
import { plainValue } from "./plain-value.ts";
import { formatDuration } from "./quantity.ts";
import { formatTime, type RunView, viewRun } from "./run-view.ts";
import { clip, visible, visibleProse } from "./visible.ts";

/** Longest shared value shown, in UTF-16 units; the JSON report has it whole. */
const VALUE_SHOWN = 400;

/** Words that a renderer may turn into a link without any markup. */
const LINKED = /:\/\/|www\.|@|mailto:/iu;
/** Characters that Markdown acts on anywhere in a line. */
const ACTIVE = /[\\`*_{}[\]<>#|~&$^]/gu;
/** What begins a list where it begins a line. */
const LIST_MARKER = /^(?=[-+])|(?<=^\d+)(?=[.)])/u;

/**
 * The report in GitHub's Markdown, with a line break at its end. Texts of data, experts and models are escaped: none of
 * them can become an image, a link, HTML, a heading or a further cell of a table.
 */
export function renderMarkdown(report: Report): string {
  const run = viewRun(report);
  const parts = [
    ...head(run),
    ...failures(run),
    ...groupFindings(report).flatMap(findings),
    ...report.profiles.map(viewDataset).flatMap(dataset),
    ...tasks(run),
    ...context(report),
    ...appendix(report),
  ];
  return `${parts.join("\n\n")}\n`;
}

function head(run: RunView): string[] {
  const duration = run.duration === "" ? "" : ` in ${run.duration}`;
  const counts = run.counts.map(({ mark, text }) => `${mark.icon} ${text}`).join(" · ");
  return [
    `# ${prose(run.title)}`,
    `**${run.mark.icon} ${run.mark.word}${duration}** · ${counts || "no findings"}`,
    ...paragraph(run.description),
    ...run.datasets.map((line) => `- ${prose(line)}`),
    table(
      ["Result", "Task", "In short"],
      run.headlines.map(({ mark, taskId, text }) => [`${mark.icon} ${mark.word}`, code(taskId), prose(text)]),
    ),
  ];
}

function failures(run: RunView): string[] {
  if (run.failures.length === 0) return [];
  const blocks = run.failures.map(({ taskId, reason, attempts, message, subject, hint }) =>
    [
      `- **✖ ${taskId === "" ? "The run" : code(taskId)}** failed ${attempts} with ${code(reason)}: ${prose(message)}`,
      ...(subject === "" ? [] : [`  - At: ${code(subject)}`]),
      ...(hint === "" ? [] : [`  - What to do: ${prose(hint)}`]),
    ].join("\n"),
  );
  return ["## What failed", ...blocks];
}

function findings(group: FindingGroup): string[] {
  const title = `## ${group.mark.icon} ${group.mark.word} (${group.findings.length})`;
  if (asksForAction(group.severity)) return [title, ...group.findings.map(inFull)];
  const rows = group.findings.map((finding) => [
    ...[code(finding.subjectName), prose(finding.reason), finding.evidence.map(evidence).join("; ")],
    ...[code(finding.rule), `${prose(finding.source)}, ${finding.confidenceText}`],
  ]);
  return [title, table(["Subject", "Finding", "Evidence", "Rule", "Source, confidence"], rows)];
}

function inFull(finding: FindingView): string {
  const subject = [prose(finding.subjectKind), finding.subjectName === "" ? "" : code(finding.subjectName)];
  const origin = `${code(finding.rule)} · ${code(finding.expert)} · ${prose(finding.source)}`;
  return [
    `- **${subject.filter(Boolean).join(" ")}**: ${prose(finding.reason)}`,
    ...finding.evidence.map((each) => `  - ${evidence(each)}`),
    ...(finding.remedy === "" ? [] : [`  - **What to do:** ${prose(finding.remedy)}`]),
    `  - ${origin} · confidence ${finding.confidenceText}`,
  ].join("\n");
}

function evidence({ label, text, quantity, place }: EvidenceView): string {
  const amount = quantity !== "" && text !== "" ? `${prose(text)} (${prose(quantity)})` : prose(text || quantity);
  const said = [prose(label), amount].filter(Boolean).join(": ");
  return [said, place === "" ? "" : code(place)].filter(Boolean).join(", ");
}

function dataset(view: DatasetView): string[] {
  const about = [`${view.shape}, ${view.storage}`, view.dialect, view.contract && `contract ${view.contract}`];
  const row = (column: ColumnView): string[] => [
    ...[code(column.name), code(column.type), column.nulls, column.distinct],
    column.withheld === "" ? prose(column.range) : `Values withheld: ${prose(column.withheld)}`,
  ];
  return [
    `## Dataset ${code(view.name)}`,
    prose(about.filter(Boolean).join("; ")),
    table(["Column", "Type", "Nulls", "Distinct", "Range"], view.columns.map(row)),
  ];
}

function tasks(run: RunView): string[] {
  const rows = run.tasks.map((task) => [
    ...[code(task.id), code(task.expert), code(task.action), status(task)],
    ...[elapsed(task.ready, task.start), elapsed(task.start, task.end), String(task.attempts), String(task.findings)],
  ]);
  const columns = ["Task", "Expert", "Action", "Status", "Waited", "Ran", "Attempts", "Findings"];
  return ["## How the run went", table(columns, rows)];
}

function status({ mark, note }: RunView["tasks"][number]): string {
  return `${mark.icon} ${mark.word}${note === "" ? "" : ` (${prose(note)})`}`;
}

function context(report: Report): string[] {
  if (report.context.length === 0) return [];
  const rows = report.context.map((entry) => [
    ...[code(entry.key), code(clip(JSON.stringify(plainValue(entry.value)), VALUE_SHOWN))],
    ...[code(entry.taskId), code(entry.expert), String(entry.version)],
  ]);
  return ["## What the experts shared", table(["Key", "Value", "Task", "Expert", "Version"], rows)];
}

function appendix({ run }: Report): string[] {
  const rows = [
    ["Run", code(run?.runId ?? "")],
    ["Workflow", `${code(run?.workflowId ?? "")} version ${code(run?.workflowVersion ?? "")}`],
    ["Began", formatTime(run?.createTime)],
    ["Ended", formatTime(run?.endTime) || "under way"],
  ];
  return ["## About this run", table(["", ""], rows)];
}

function elapsed(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined ? "" : formatDuration(to - from);
}

function paragraph(text: string): string[] {
  return text === "" ? [] : [prose(text)];
}

/** Cells are Markdown already: `prose` and `code` leave no bar that could end one. */
function table(columns: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * A text with every character escaped that Markdown acts on. A word that some renderers would link by itself (an
 * address, a mention) becomes code, where no renderer links anything.
 */
function prose(text: string): string {
  return visibleProse(text)
    .split(" ")
    .map((word) => (LINKED.test(word) ? code(word) : word.replace(ACTIVE, "\\$&")))
    .join(" ")
    .replace(LIST_MARKER, "\\");
}

/**
 * A text as code. Bars stand between pieces of code, as entities: within code a table would need them escaped, and
 * renderers disagree on what escapes a bar behind a backslash.
 */
function code(text: string): string {
  return visible(text).split("|").map(codeSpan).join("&#124;");
}

/** The fence is longer than any run of backticks within. */
function codeSpan(text: string): string {
  if (text === "") return "";
  const longest = (text.match(/`+/gu) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = "`".repeat(longest + 1);
  const space = /^`|`$|^ .* $/u.test(text) ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}
