import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ContextEntry, ContextEntrySchema } from "@odg/proto/odg/expert/v1/expert_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import {
  type Report,
  RunSchema,
  RunStatus,
  SkipCause,
  TaskStateSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { assembleReport, type ReportInput } from "../assemble.ts";
import { foundBy, onboardingFindings } from "./findings.ts";
import { transactionsProfile } from "./profile.ts";

/** Hostile texts of every kind that a report's renderings must defuse. */
export const HOSTILE = {
  script: `<script>alert("x")</script>`,
  attribute: `" onmouseover="alert(1)" x='`,
  image: `![pixel](https://evil.example/pixel.png)`,
  link: `[click](javascript:alert(1))`,
  html: `<img src=https://evil.example/a.png onerror=alert(1)>`,
  autolink: "https://evil.example/x www.evil.example bob@evil.example <https://evil.example>",
  ansi: "\u001b[31mred\u001b[0m\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007\u009b2J",
  bidi: "\u202Egnp.exe\u202C\u200B\u2066hidden\u2069",
  cells: "a | b\n| --- |\r\n# title\t``` `tick` ```",
} as const;

const BEGIN = Date.UTC(2026, 10, 23, 9, 30, 0);

type TaskInit = MessageInitShape<typeof TaskStateSchema>;

/** What an onboarding of customer_transactions left behind: six tasks, all succeeded. */
export function onboardingInput(): ReportInput {
  return {
    run: create(RunSchema, {
      runId: "019aa4f0-6c1e-7b3a-9d52-3f0c7a1e8b44",
      workflowId: "onboard_dataset",
      workflowVersion: "3",
      status: RunStatus.SUCCEEDED,
      inputs: { dataset: "lake/customer_transactions.parquet" },
      createTime: timestampFromMs(BEGIN),
      endTime: timestampFromMs(BEGIN + 2410),
      tasks: tasks(),
      labels: { team: "payments" },
      lastSeq: 14n,
    }),
    workflow: workflow(),
    findings: onboardingFindings(),
    profiles: [transactionsProfile()],
    context: context(),
  };
}

/** The report of {@link onboardingInput}. */
export function onboardingReport(): Report {
  return assembleReport(onboardingInput());
}

/** The same run, but the security task failed after three attempts, and compliance was skipped for that. */
export function failedInput(): ReportInput {
  const input = onboardingInput();
  const findings = input.findings.filter(({ taskId }) => taskId !== "security_scan" && taskId !== "compliance_check");
  const run = create(RunSchema, { ...input.run, status: RunStatus.FAILED });
  const failure = {
    reason: Reason.DATA_CORRUPT,
    message: "The footer of the file promises 12 row groups, the file holds 7.",
    subject: "lake/customer_transactions.parquet",
    hint: "Write the file again, or give one that is whole.",
  };
  run.tasks = tasks({
    security_scan: { status: TaskStatus.FAILED, attempts: 3, summary: "", findingCount: 0, failure },
    compliance_check: {
      ...{ status: TaskStatus.SKIPPED, attempts: 0, summary: "", findingCount: 0, expert: "" },
      ...{ skipCause: SkipCause.UPSTREAM, readyTime: undefined, startTime: undefined, endTime: undefined },
    },
  }).map((init) => create(TaskStateSchema, init));
  return { ...input, run, findings };
}

/** The failed run with hostile text wherever a text of the data, of an expert or of a model can stand. */
export function hostileReport(): Report {
  const input = failedInput();
  const everything = Object.values(HOSTILE).join(" ");
  const findings = Object.values(HOSTILE).flatMap((text) =>
    foundBy("quality_validation", `Expert${text}@1.0.0`, [hostileFinding(text)]),
  );
  for (const column of input.profiles[0]!.columns.slice(0, 9)) {
    const text = Object.values(HOSTILE)[input.profiles[0]!.columns.indexOf(column)]!;
    Object.assign(column, { name: text, type: text, min: text, max: text });
  }
  input.profiles[0]!.columns[9]!.topValues[0]!.value = everything;
  input.profiles[0]!.columns[10]!.valuesWithheld = everything;
  input.profiles[0]!.dataset!.name = everything;
  input.profiles[0]!.dataset!.uri = everything;
  input.workflow.description = everything;
  for (const task of input.run.tasks) task.summary = everything;
  const failed = input.run.tasks.find((task) => task.failure !== undefined)!;
  Object.assign(failed.failure!, { message: everything, subject: everything, hint: everything });
  Object.assign(failed, { expert: everything, action: everything });
  const entry = shared(everything, everything, { expert: everything, taskId: everything });
  return assembleReport({
    ...input,
    findings: [...input.findings, ...findings],
    context: [...input.context, entry],
  });
}

function hostileFinding(text: string): Parameters<typeof foundBy>[2][number] {
  return {
    ruleId: text,
    severity: Severity.WARNING,
    subject: { kind: text, name: text },
    reason: text,
    evidence: [{ label: text, text, file: text, line: 3, value: 1, unit: text }],
    remedy: text,
    model: text,
  };
}

function workflow(): ReportInput["workflow"] {
  const after = ["schema_analysis"];
  return create(WorkflowSchema, {
    workflowId: "onboard_dataset",
    description: "Examines a dataset before it is published: schema, quality, personal data, law, cost and origin.",
    tasks: [
      { id: "schema_analysis", expert: "SchemaExpert", action: "analyze_schema" },
      { id: "quality_validation", expert: "QualityExpert", action: "define_expectations", dependsOn: after },
      { id: "security_scan", expert: "SecurityExpert", action: "detect_pii", dependsOn: after },
      { id: "compliance_check", expert: "ComplianceExpert", action: "validate_gdpr", dependsOn: ["security_scan"] },
      { id: "cost_estimation", expert: "CostExpert", action: "estimate_storage_cost", dependsOn: after },
      { id: "lineage_mapping", expert: "LineageExpert", action: "map_dependencies", dependsOn: after },
    ],
  });
}

function tasks(changes: Record<string, TaskInit> = {}): TaskInit[] {
  const rows: [string, string, string, number[], string, number][] = [
    ["schema_analysis", "SchemaExpert", "analyze_schema", [2, 8, 611], "15 columns, 200,000 rows, 1 primary key", 5],
    [
      "quality_validation",
      "QualityExpert",
      "define_expectations",
      [611, 640, 1702],
      "12 expectations, 3 of them broken",
      6,
    ],
    [
      "security_scan",
      "SecurityExpert",
      "detect_pii",
      [611, 630, 1950],
      "3 PII fields require masking: email, phone, ssn",
      4,
    ],
    [
      "compliance_check",
      "ComplianceExpert",
      "validate_gdpr",
      [1950, 1962, 2403],
      "GDPR pending: retention policy, consent record",
      3,
    ],
    [
      "cost_estimation",
      "CostExpert",
      "estimate_storage_cost",
      [611, 1010, 1130],
      "$165.00 a month: storage $120.00, compute $45.00",
      2,
    ],
    [
      "lineage_mapping",
      "LineageExpert",
      "map_dependencies",
      [611, 1135, 1420],
      "2 upstream datasets: orders, customers",
      3,
    ],
  ];
  return rows.map(([taskId, expert, action, [ready, start, end], summary, findingCount]) => ({
    ...{ taskId, action, summary, findingCount, expert: `${expert}@1.0.0`, attempts: 1, status: TaskStatus.SUCCEEDED },
    readyTime: timestampFromMs(BEGIN + ready!),
    startTime: timestampFromMs(BEGIN + start!),
    endTime: timestampFromMs(BEGIN + end!),
    ...changes[taskId],
  }));
}

function context(): ContextEntry[] {
  return [
    shared("schema.primary_key", "transaction_id", {
      ...{ taskId: "schema_analysis", expert: "SchemaExpert@1.0.0", seq: 3n },
    }),
    shared("security.pii_columns", ["email", "phone", "ssn"], {
      ...{ taskId: "security_scan", expert: "SecurityExpert@1.0.0", seq: 10n },
    }),
  ];
}

function shared(key: string, value: JsonValue, origin: MessageInitShape<typeof ContextEntrySchema>): ContextEntry {
  return create(ContextEntrySchema, { key, value: fromJson(ValueSchema, value), version: 1n, ...origin });
}
