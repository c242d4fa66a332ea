import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type EvidenceSchema, type Finding, FindingSchema, Severity } from "@odg/proto/odg/expert/v1/finding_pb";

/** Severities by name, least first. `ok`: something checked and found in order. */
export type SeverityName = "info" | "ok" | "warning" | "error" | "critical";

/** One thing that shows a finding to be true. No raw personal value may stand in it. */
export interface EvidenceInit {
  /** What is shown: "distinct share". */
  label: string;
  /** What it says, for people. */
  text: string;
  /** For texts: file name relative to the dataset's folder. */
  file?: string;
  /** Line in that file, from 1. */
  line?: number;
  /** The number, where the evidence is one. */
  value?: number;
  /** Unit of the number: rows, share, bytes, USD/month. */
  unit?: string;
}

/** A finding as an expert writes it. */
export interface FindingInit {
  /** Stable name of the rule: `security.pii_column`. */
  rule: string;
  severity: SeverityName;
  /** What it is about: `{ kind: "column", name: "customers.email" }`. */
  subject: { kind: string; name: string };
  /** One sentence: what was found and why that matters. */
  reason: string;
  /** At least one. */
  evidence: EvidenceInit[];
  /** From 0 to 1; default 1. */
  confidence?: number;
  /** What to do about it. */
  remedy?: string;
}

const SEVERITIES: Record<SeverityName, Severity> = {
  info: Severity.INFO,
  ok: Severity.OK,
  warning: Severity.WARNING,
  error: Severity.ERROR,
  critical: Severity.CRITICAL,
};

/**
 * The message for a finding.
 *
 * @throws RangeError where there is no evidence or the confidence is outside 0..1: both are mistakes of the expert.
 */
export function toFinding(init: FindingInit): Finding {
  const confidence = init.confidence ?? 1;
  if (!(confidence >= 0 && confidence <= 1)) {
    throw new RangeError(`finding ${init.rule}: confidence ${confidence} is not between 0 and 1`);
  }
  if (init.evidence.length === 0) {
    throw new RangeError(`finding ${init.rule}: a finding without evidence cannot be believed`);
  }
  return create(FindingSchema, {
    ruleId: init.rule,
    severity: SEVERITIES[init.severity],
    subject: init.subject,
    reason: init.reason,
    evidence: init.evidence.map((one): MessageInitShape<typeof EvidenceSchema> => one),
    confidence,
    remedy: init.remedy ?? "",
  });
}
