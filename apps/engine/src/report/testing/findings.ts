import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FindingSchema, Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import type { FoundBy } from "../assemble.ts";

type FindingInit = MessageInitShape<typeof FindingSchema>;

const { CRITICAL, ERROR, WARNING, OK, INFO } = Severity;
const TABLE = "customer_transactions";

/** Some 25 findings of the six experts of an onboarding, in the order in which they came. */
export function onboardingFindings(): FoundBy[] {
  return [...schema(), ...quality(), ...security(), ...compliance(), ...cost(), ...lineage()];
}

/** Findings of one task, numbered as the engine does. */
export function foundBy(taskId: string, expert: string, findings: FindingInit[]): FoundBy[] {
  return findings.map((init, place) => ({
    taskId,
    expert,
    finding: create(FindingSchema, { confidence: 1, ...init, id: `${taskId}#${place + 1}` }),
  }));
}

function column(name: string): { kind: string; name: string } {
  return { kind: "column", name: `${TABLE}.${name}` };
}

function schema(): FoundBy[] {
  return foundBy("schema_analysis", "SchemaExpert@1.0.0", [
    {
      ruleId: "schema.primary_key",
      severity: OK,
      subject: column("transaction_id"),
      reason: "Never null and unique: it identifies a row.",
      evidence: [{ label: "distinct values", text: "200,000 of 200,000 rows", value: 200_000, unit: "rows" }],
    },
    {
      ruleId: "schema.foreign_key",
      severity: INFO,
      subject: column("customer_id"),
      reason: "Every value occurs in customers.id: a foreign key.",
      evidence: [{ label: "contained", text: "20,000 of 20,000 distinct values", value: 1, unit: "share" }],
      confidence: 0.97,
    },
    {
      ruleId: "schema.leading_zero",
      severity: OK,
      subject: column("zip_code"),
      reason: "A code with leading zeros, rightly kept as text.",
      evidence: [{ label: "values that begin with 0", text: "18,233 of 148,680", value: 0.1226, unit: "share" }],
    },
    {
      ruleId: "schema.always_null",
      severity: WARNING,
      subject: column("deleted_at"),
      reason: "The column holds nothing but NULL, so nobody can tell what it is for.",
      evidence: [{ label: "nulls", text: "200,000 of 200,000 rows", value: 1, unit: "share" }],
      remedy: "Drop the column, or have its producer fill it.",
    },
    {
      ruleId: "schema.functional_dependency",
      severity: INFO,
      subject: column("country"),
      reason: "currency follows from country in 98.7% of the rows: a reference table would hold it once.",
      evidence: [{ label: "rows that agree", text: "", value: 0.987, unit: "share" }],
      confidence: 0.8,
    },
  ]);
}

function quality(): FoundBy[] {
  return foundBy("quality_validation", "QualityExpert@1.0.0", [
    {
      ruleId: "quality.category_typo",
      severity: WARNING,
      subject: column("currency"),
      reason: "2,000 rows spell the currency in small letters, so a sum by currency splits.",
      evidence: [
        { label: "odd spelling", text: "`eur` beside `EUR`", value: 2000, unit: "rows" },
        { label: "share", text: "", value: 0.01, unit: "share" },
      ],
      confidence: 0.93,
      remedy: "Write currency codes in capitals at the source.",
    },
    {
      ruleId: "quality.missing_values",
      severity: WARNING,
      subject: column("zip_code"),
      reason: "A quarter of the rows have no postcode.",
      evidence: [{ label: "nulls", text: "51,320 of 200,000 rows", value: 0.2566, unit: "share" }],
      confidence: 0.99,
      remedy: "Ask for the postcode where the delivery needs one, and say in the contract where it may be empty.",
    },
    {
      ruleId: "quality.negative_amount",
      severity: ERROR,
      subject: column("amount"),
      reason: "Rows that are not refunds carry negative amounts.",
      evidence: [
        { label: "negative amounts with status settled", text: "412 of 170,000 rows", value: 412, unit: "rows" },
        { label: "smallest", text: "", value: -120, unit: "EUR" },
      ],
      confidence: 0.9,
      remedy: "Reject settled rows with amount < 0 when they are loaded.",
    },
    ...["transaction_id", "status", "created_at"].map((name) => ({
      ruleId: "quality.expectation",
      severity: OK,
      subject: column(name),
      reason: "Holds on every row; kept as an expectation.",
      evidence: [{ label: "expectation", text: "expect_column_values_to_not_be_null", value: 1, unit: "share" }],
      confidence: 0.98,
    })),
  ]);
}

function security(): FoundBy[] {
  const pii = (name: string, what: string, share: number): FindingInit => ({
    ruleId: "security.pii_column",
    severity: ERROR,
    subject: column(name),
    reason: `${what} stand here in clear text, readable by everyone who may read the table.`,
    evidence: [
      { label: "matching values", text: `${share * 100}% of a sample of 20,000`, value: share, unit: "share" },
      { label: "column name", text: "known name of the field taxonomy" },
    ],
    confidence: 0.95 + share / 25,
    remedy: `Mask with sha256(concat(${name}, salt)) in the published view.`,
  });
  return foundBy("security_scan", "SecurityExpert@1.0.0", [
    pii("email", "E-mail addresses", 0.9993),
    pii("phone", "Phone numbers", 0.951),
    { ...pii("ssn", "Social security numbers", 1), severity: CRITICAL },
    {
      ruleId: "security.re_identification",
      severity: WARNING,
      subject: { kind: "dataset", name: TABLE },
      reason:
        "zip_code, created_at and amount together single out most customers even when the three fields are masked.",
      evidence: [{ label: "unique combinations", text: "", value: 0.912, unit: "share" }],
      confidence: 0.72,
      remedy: "Generalise zip_code to three digits and created_at to the month.",
      model: "claude-opus-4.6",
    },
  ]);
}

function compliance(): FoundBy[] {
  const article = (name: string): { kind: string; name: string } => ({ kind: "article", name: `GDPR ${name}` });
  const contract = { file: "customer_transactions.contract.yaml", line: 7 };
  return foundBy("compliance_check", "ComplianceExpert@1.0.0", [
    {
      ruleId: "compliance.gdpr_retention",
      severity: ERROR,
      subject: article("5(1)(e)"),
      reason: "The contract gives no retention period, so personal data would be kept without limit.",
      evidence: [{ label: "contract", text: "retention: (missing)", ...contract }],
      remedy: "Write a retention period and what happens at its end into the contract.",
    },
    {
      ruleId: "compliance.gdpr_consent",
      severity: WARNING,
      subject: article("7"),
      reason: "The legal basis is consent, but nothing says where the consent is recorded.",
      evidence: [{ label: "contract", text: "legal_basis: consent", ...contract, line: 5 }],
      remedy: "Name the table or service that holds the consents.",
    },
    {
      ruleId: "compliance.gdpr_purpose",
      severity: OK,
      subject: article("5(1)(b)"),
      reason: "The purpose is stated.",
      evidence: [{ label: "contract", text: "purpose: billing", ...contract, line: 3 }],
    },
  ]);
}

function cost(): FoundBy[] {
  return foundBy("cost_estimation", "CostExpert@1.0.0", [
    {
      ruleId: "cost.monthly_storage",
      severity: INFO,
      subject: { kind: "dataset", name: TABLE },
      reason: "Storage at today's size and growth.",
      evidence: [{ label: "5.217 TB × $0.023/GB", text: "", value: 120, unit: "USD/month" }],
      confidence: 0.9,
    },
    {
      ruleId: "cost.monthly_compute",
      severity: INFO,
      subject: { kind: "dataset", name: TABLE },
      reason: "One load a day.",
      evidence: [{ label: "30 loads × 0.4 h × $3.75/h", text: "", value: 45, unit: "USD/month" }],
      confidence: 0.8,
    },
  ]);
}

function lineage(): FoundBy[] {
  const upstream = (name: string, line: number): FindingInit => ({
    ruleId: "lineage.upstream",
    severity: INFO,
    subject: { kind: "table", name },
    reason: `${TABLE} is built from ${name}.`,
    evidence: [{ label: "SQL", text: `JOIN ${name} ON …`, file: "build_customer_transactions.sql", line }],
  });
  return foundBy("lineage_mapping", "LineageExpert@1.0.0", [
    upstream("orders", 14),
    upstream("customers", 15),
    {
      ruleId: "lineage.select_star",
      severity: WARNING,
      subject: { kind: "table", name: "customers" },
      reason: "SELECT * carries every new column of customers into this table, personal ones included.",
      evidence: [{ label: "SQL", text: "SELECT c.*", file: "build_customer_transactions.sql", line: 3 }],
      confidence: 0.95,
      remedy: "Name the columns.",
    },
  ]);
}
