import { styleText } from "node:util";
import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import {
  asksForAction,
  type EvidenceView,
  type FindingGroup,
  type FindingView,
  groupFindings,
} from "./finding-view.ts";
import { formatCount } from "./quantity.ts";
import { type FailureView, type RunView, viewRun } from "./run-view.ts";
import type { Mark, Tone } from "./vocabulary.ts";

/** How a terminal shows the report. */
export interface TextOptions {
  /** Columns of the terminal; 100 unless given, never less than 40. */
  columns?: number;
  /** Whether to colour by ANSI escapes; the words stand there either way. */
  color?: boolean;
}

/** Findings shown in full, per severity. */
const SHOWN = 25;
/** Findings shown in one line each, per severity. */
const SHOWN_BRIEFLY = 12;
const EVIDENCE_SHOWN = 4;
/** Columns from which badge, task and text stand in one line. */
const ROOMY = 72;

type Format = Parameters<typeof styleText>[0];

const COLOURS: Record<Tone, Format> = {
  critical: ["bold", "red"],
  error: "red",
  warning: "yellow",
  ok: "green",
  info: "blue",
  active: "cyan",
  idle: "gray",
};

/**
 * The report for a terminal, with a line break at its end. Failures stand first, then one line per task, then the
 * findings. Control characters in data are shown as pictures: no text of the data can move the cursor.
 */
export function renderText(report: Report, options: TextOptions = {}): string {
  const page = new Page(Math.max(40, options.columns ?? 100), options.color ?? false);
  const run = viewRun(report);
  head(page, run);
  failures(page, run.failures);
  headlines(page, run);
  notes(page, run);
  for (const group of groupFindings(report)) findings(page, group);
  return page.text();
}

/** Lines under one width and one choice of colour. */
class Page {
  readonly columns: number;
  readonly #color: boolean;
  readonly #lines: string[] = [];

  constructor(columns: number, color: boolean) {
    this.columns = columns;
    this.#color = color;
  }

  style(format: Format, text: string): string {
    return this.#color ? styleText(format, text, { validateStream: false }) : text;
  }

  /** Adds a text, wrapped, each line behind an indent; `first` replaces the indent of the first line. */
  add(text: string, indent = "", first = indent): void {
    const width = Math.max(10, this.columns - stringWidth(indent));
    const lines = wrapAnsi(text, width, { hard: true }).split("\n");
    lines.forEach((line, place) => {
      this.#lines.push(`${place === 0 ? first : indent}${line}`.trimEnd());
    });
  }

  blank(): void {
    this.#lines.push("");
  }

  section(title: string): void {
    this.blank();
    this.add(this.style("bold", title));
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

function head(page: Page, run: RunView): void {
  const title = page.style("bold", run.title);
  const duration = run.duration === "" ? "" : page.style("dim", `  ${run.duration}`);
  page.add(`${badge(page, run.mark)}  ${title}${duration}`, "  ", "");
  for (const dataset of run.datasets) page.add(dataset, "  ");
  const counts = run.counts.map(({ mark, text }) => page.style(COLOURS[mark.tone], `${mark.icon} ${text}`));
  page.add(counts.join("   ") || "No findings", "  ");
}

function failures(page: Page, list: FailureView[]): void {
  if (list.length === 0) return;
  page.section(list.length === 1 ? "What failed" : `What failed (${list.length} tasks)`);
  for (const failure of list) {
    const name = [failure.taskId, failure.reason, failure.attempts].filter(Boolean).join("  ");
    page.add(page.style(["bold", "red"], `✖ ${name}`), "    ", "  ");
    page.add(failure.message, "    ");
    if (failure.subject !== "") page.add(failure.subject, "       ", "    at ");
    if (failure.hint !== "") page.add(failure.hint, "      ", "    → ");
  }
}

/** How tasks came about, where that is worth a word. */
function notes(page: Page, run: RunView): void {
  const noted = run.tasks.filter(({ note }) => note !== "");
  if (noted.length === 0) return;
  page.section("How it came about");
  for (const { id, note } of noted) page.add(`${page.style("dim", id)}  ${note}`, "    ", "  ");
}

function headlines(page: Page, run: RunView): void {
  page.section("In short");
  const badges = Math.max(0, ...run.headlines.map(({ mark }) => stringWidth(plainBadge(mark))));
  const names = Math.min(24, Math.max(0, ...run.headlines.map(({ taskId }) => stringWidth(taskId))));
  for (const { mark, taskId, text } of run.headlines) {
    if (page.columns < ROOMY) {
      page.add(`${badge(page, mark)}  ${page.style("dim", taskId)}`, "  ");
      page.add(text, "    ");
      continue;
    }
    const lead = `  ${pad(badge(page, mark), badges)}  ${pad(page.style("dim", cut(taskId, names)), names)}  `;
    page.add(text, " ".repeat(badges + names + 6), lead);
  }
}

function findings(page: Page, group: FindingGroup): void {
  const full = asksForAction(group.severity);
  page.section(
    page.style(COLOURS[group.mark.tone], `${plainBadge(group.mark)} (${formatCount(group.findings.length)})`),
  );
  const shown = group.findings.slice(0, full ? SHOWN : SHOWN_BRIEFLY);
  for (const finding of shown) (full ? inFull : inBrief)(page, finding);
  const rest = group.findings.length - shown.length;
  if (rest > 0) page.add(page.style("dim", `… and ${formatCount(rest)} more in the full report`), "  ");
}

function inFull(page: Page, finding: FindingView): void {
  const icon = page.style(COLOURS[finding.mark.tone], finding.mark.icon);
  const name = [finding.subjectKind, page.style("bold", finding.subjectName)].filter(Boolean).join(" ");
  const rule = page.style("dim", finding.rule);
  const room = page.columns - 4 - stringWidth(name) - stringWidth(rule);
  if (room >= 2) page.add(`${icon} ${name}${" ".repeat(room)}${rule}`, "  ");
  else page.add(`${name} ${rule}`, "    ", `  ${icon} `);
  page.add(finding.reason, "    ");
  for (const evidence of finding.evidence.slice(0, EVIDENCE_SHOWN))
    page.add(evidenceLine(evidence), "      ", "    · ");
  const rest = finding.evidence.length - EVIDENCE_SHOWN;
  if (rest > 0) page.add(page.style("dim", `… and ${rest} more`), "      ");
  if (finding.remedy !== "") page.add(page.style("cyan", finding.remedy), "      ", "    → ");
  const origin = `${finding.expert} · ${finding.source} · confidence ${finding.confidenceText}`;
  page.add(page.style("dim", origin), "    ");
}

function inBrief(page: Page, finding: FindingView): void {
  const icon = page.style(COLOURS[finding.mark.tone], finding.mark.icon);
  const said = [finding.subjectName, finding.reason].filter(Boolean).join(": ");
  const proof = finding.evidence[0] === undefined ? "" : evidenceLine(finding.evidence[0]);
  const together = proof === "" ? said : `${said}  (${proof})`;
  const fits = stringWidth(together) <= page.columns - 4;
  page.add(`${icon} ${fits ? together : cut(said, page.columns - 4)}`, "  ");
  if (!fits && proof !== "") page.add(page.style("dim", cut(`· ${proof}`, page.columns - 4)), "    ");
}

function evidenceLine({ label, text, quantity, place }: EvidenceView): string {
  const amount = quantity !== "" && text !== "" ? `${text} (${quantity})` : text || quantity;
  const said = [label, amount].filter(Boolean).join(": ");
  return [said, place].filter(Boolean).join("  ");
}

function badge(page: Page, mark: Mark): string {
  return page.style(COLOURS[mark.tone], plainBadge(mark));
}

function plainBadge(mark: Mark): string {
  return `${mark.icon} ${mark.word.toUpperCase()}`;
}

function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}

/** Cuts a text to a width in columns of the terminal; wide characters count two. */
function cut(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter("en").segment(text)) {
    if (stringWidth(kept + segment) > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
