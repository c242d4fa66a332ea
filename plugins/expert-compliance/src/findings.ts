import type { ActionContext, EvidenceInit } from "@odg/expert-plugin-api";
import type { Classification } from "./classification.ts";
import type { ArticleResult } from "./evaluate.ts";
import { FIELDS } from "./fields.ts";

/** What the findings are about. */
export interface Subject {
  table: string;
  /** File name of the contract; empty without one. */
  contractSource: string;
  classification: Classification | undefined;
}

/** A finding for each article that is not met or not known, one for those that are met, one for the rest. */
export function report(results: ArticleResult[], subject: Subject, ctx: ActionContext): void {
  for (const result of results) {
    if (result.status === "not_met" || result.status === "unknown") reportOpen(result, subject, ctx);
  }
  reportGroup(
    results,
    { status: "met", rule: "compliance.gdpr_met", severity: "ok", words: "met as far as the contract tells" },
    { subject, ctx },
  );
  reportGroup(
    results,
    {
      status: "not_applicable",
      rule: "compliance.gdpr_not_applicable",
      severity: "info",
      words: "not applicable to this dataset",
    },
    { subject, ctx },
  );
}

function reportOpen(result: ArticleResult, subject: Subject, ctx: ActionContext): void {
  const { rule, status, missing } = result;
  const what = missing.join(", ");
  ctx.finding({
    rule: `compliance.gdpr.${rule.id}`,
    severity: status === "not_met" ? rule.severity : "warning",
    subject: { kind: "article", name: `GDPR ${rule.article}: ${subject.table}` },
    reason:
      status === "not_met"
        ? `GDPR ${rule.article} (${rule.title}) is not met: ${what}.`
        : `Whether GDPR ${rule.article} (${rule.title}) is met cannot be told: ${what}.`,
    evidence: evidenceOf(result, subject),
    // Reading a field is certain; that the field is nowhere else than in the contract is not.
    confidence: status === "not_met" ? 0.95 : 0.8,
    remedy: `${rule.remedy}${templateOf(result)}`,
  });
}

function templateOf({ fields }: ArticleResult): string {
  const open = fields.filter(({ status }) => status !== "met").map(({ field }) => FIELDS[field].example);
  const lines = [...new Set(open)].slice(0, 4);
  return lines.length > 0 ? ` In the contract: ${lines.join(" · ")}` : "";
}

function evidenceOf({ fields }: ArticleResult, { contractSource, classification }: Subject): EvidenceInit[] {
  const list: EvidenceInit[] = [];
  for (const { field, reading, status } of fields) {
    const { label } = FIELDS[field];
    const at = reading.path ? `${reading.path}: ${reading.text || "empty"}` : "no such field in the contract";
    const file = contractSource ? { file: contractSource } : {};
    list.push({
      label: `${label} (${status.replace("_", " ")})`,
      text: contractSource ? at : "there is no contract",
      ...file,
    });
  }
  list.push(personalEvidence(classification));
  return list;
}

function personalEvidence(classification: Classification | undefined): EvidenceInit {
  if (!classification) return { label: "personal data", text: "no scan has looked at this dataset" };
  const { columns, source } = classification;
  const named = columns.slice(0, 8).map(({ column, entity }) => `${column} (${entity})`);
  const more = columns.length > 8 ? ` and ${columns.length - 8} more` : "";
  const text = columns.length > 0 ? `${named.join(", ")}${more}, by ${source}` : `no column, by ${source}`;
  return { label: "personal data", text, value: columns.length, unit: "columns" };
}

type Group = { status: ArticleResult["status"]; rule: string; severity: "ok" | "info"; words: string };

function reportGroup(
  results: ArticleResult[],
  group: Group,
  { subject, ctx }: { subject: Subject; ctx: ActionContext },
): void {
  const members = results.filter(({ status }) => status === group.status);
  if (members.length === 0) return;
  const articles = members.map(({ rule }) => rule.article).join(", ");
  ctx.finding({
    rule: group.rule,
    severity: group.severity,
    subject: { kind: "dataset", name: subject.table },
    reason: `${members.length === 1 ? "Article" : "Articles"} ${articles} of the GDPR: ${group.words}.`,
    evidence: [
      ...members
        .flatMap(({ fields }) => fields)
        .slice(0, 12)
        .map(({ field, reading }) => ({
          label: FIELDS[field].label,
          text: reading.path ? `${reading.path}: ${reading.text}` : "not stated",
          ...(subject.contractSource ? { file: subject.contractSource } : {}),
        })),
      personalEvidence(subject.classification),
    ],
    confidence: subject.classification ? 0.9 : 0.5,
  });
}
