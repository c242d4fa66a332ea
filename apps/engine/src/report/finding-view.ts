import type { Evidence } from "@odg/proto/odg/expert/v1/finding_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import type { Report, ReportFinding } from "@odg/proto/odg/run/v1/run_pb";
import { formatQuantity, formatShare } from "./quantity.ts";
import { visible, visibleProse } from "./visible.ts";
import { type Mark, SEVERITIES, severityMark } from "./vocabulary.ts";

/** A finding in words. Every text is free of unseen characters, and not yet escaped for any format. */
export interface FindingView {
  severity: Severity;
  mark: Mark;
  rule: string;
  /** `column`, `article` …; empty where the expert named none. */
  subjectKind: string;
  subjectName: string;
  reason: string;
  remedy: string;
  evidence: EvidenceView[];
  /** From 0 to 1. */
  confidence: number;
  /** The same as per cent. */
  confidenceText: string;
  /** Who spoke: `analyzer`, or `model` and its id. */
  source: string;
  /** Whether a model spoke. */
  fromModel: boolean;
  taskId: string;
  expert: string;
}

/** One thing that shows a finding to be true, in words. */
export interface EvidenceView {
  label: string;
  text: string;
  /** The number with its unit; empty where there is none, or where `text` says it already. */
  quantity: string;
  /** `file:line`; empty where the evidence stands in no file. */
  place: string;
}

/** The findings of one severity, in the order of the report. */
export interface FindingGroup {
  severity: Severity;
  mark: Mark;
  findings: FindingView[];
}

/** The findings of a report by severity, worst first; a severity without findings is left out. */
export function groupFindings(report: Report): FindingGroup[] {
  const known = new Set<Severity>(SEVERITIES);
  const views = report.findings.map(viewFinding);
  const severityOf = (view: FindingView): Severity => (known.has(view.severity) ? view.severity : Severity.UNSPECIFIED);
  return SEVERITIES.map((severity) => ({
    severity,
    mark: severityMark(severity),
    findings: views.filter((view) => severityOf(view) === severity),
  })).filter((group) => group.findings.length > 0);
}

/** Whether a severity asks a person to act, so that its findings are shown in full. */
export function asksForAction(severity: Severity): boolean {
  return severity >= Severity.WARNING;
}

/** `security.pii_column` as a rule, `column a.b` as a subject: the words of one finding. */
export function viewFinding(found: ReportFinding): FindingView {
  const finding = found.finding;
  const model = visibleProse(finding?.model ?? "");
  const confidence = finding?.confidence ?? 0;
  return {
    severity: finding?.severity ?? Severity.UNSPECIFIED,
    mark: severityMark(finding?.severity ?? Severity.UNSPECIFIED),
    rule: visible(finding?.ruleId ?? ""),
    subjectKind: visible(finding?.subject?.kind ?? ""),
    subjectName: visible(finding?.subject?.name ?? ""),
    reason: visibleProse(finding?.reason ?? ""),
    remedy: visibleProse(finding?.remedy ?? ""),
    evidence: (finding?.evidence ?? []).map(viewEvidence),
    confidence,
    confidenceText: formatShare(confidence),
    source: model === "" ? "analyzer" : `model ${model}`,
    fromModel: model !== "",
    taskId: visible(found.taskId),
    expert: visible(found.expert),
  };
}

function viewEvidence(evidence: Evidence): EvidenceView {
  const text = visibleProse(evidence.text);
  const quantity = evidence.value === undefined ? "" : formatQuantity(evidence.value, visibleProse(evidence.unit));
  const file = visible(evidence.file);
  return {
    label: visibleProse(evidence.label),
    text,
    quantity: hasNumber(text) ? "" : quantity,
    place: file !== "" && evidence.line > 0 ? `${file}:${evidence.line}` : file,
  };
}

/** Whether the text holds a number as a number of its own: then it says the quantity in its own words, and twice is too much. */
function hasNumber(text: string): boolean {
  return /(?<![\p{L}\d_])\d/u.test(text);
}
