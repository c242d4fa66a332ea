import { create, equals } from "@bufbuild/protobuf";
import { FindingSchema, Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { ReportSchema, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assembleReport, type FoundBy, type ReportInput } from "./assemble.ts";
import { failedInput, onboardingInput, onboardingReport } from "./testing/fixture.ts";

function found(taskId: string, init: Partial<FoundBy["finding"]>): FoundBy {
  const { ruleId = "rule", severity = Severity.WARNING, confidence = 1, subject, reason = "" } = init;
  const finding = create(FindingSchema, { ruleId, severity, confidence, subject, reason, id: init.id });
  return { taskId, expert: "SomeExpert@1.0.0", finding };
}

function orderOf(findings: FoundBy[]): string[] {
  return assembleReport({ ...onboardingInput(), findings }).findings.map(({ finding }) => finding!.reason);
}

function headlineOf(input: ReportInput, taskId: string): { severity: Severity; text: string } {
  const headline = assembleReport(input).headlines.find((each) => each.taskId === taskId)!;
  return { severity: headline.severity, text: headline.text };
}

describe("assembleReport", () => {
  it("puts the worst finding first, and of equally bad ones the surest", () => {
    const order = orderOf([
      found("cost_estimation", { reason: "info", severity: Severity.INFO }),
      found("cost_estimation", { reason: "unsure error", severity: Severity.ERROR, confidence: 0.4 }),
      found("cost_estimation", { reason: "critical", severity: Severity.CRITICAL, confidence: 0.1 }),
      found("cost_estimation", { reason: "sure error", severity: Severity.ERROR, confidence: 0.9 }),
      found("cost_estimation", { reason: "ok", severity: Severity.OK }),
    ]);
    expect(order).toEqual(["critical", "sure error", "unsure error", "ok", "info"]);
  });

  it("breaks ties by the order of the tasks in the workflow, then by rule, then by subject", () => {
    const order = orderOf([
      found("unknown_task", { reason: "5" }),
      found("lineage_mapping", { reason: "4" }),
      found("schema_analysis", { reason: "3", ruleId: "b" }),
      found("schema_analysis", { reason: "2", ruleId: "a", subject: { kind: "column", name: "b" } as never }),
      found("schema_analysis", { reason: "1", ruleId: "a", subject: { kind: "column", name: "a" } as never }),
    ]);
    expect(order).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("gives an equal report whatever the order in which findings, profiles and context came", () => {
    const expected = onboardingReport();
    const { findings, context, ...rest } = onboardingInput();
    const shuffled = fc.record({
      findings: fc.shuffledSubarray([...findings], { minLength: findings.length }),
      context: fc.shuffledSubarray([...context], { minLength: context.length }),
    });
    fc.assert(
      fc.property(shuffled, (parts) => equals(ReportSchema, assembleReport({ ...rest, ...parts }), expected)),
      {
        numRuns: 50,
      },
    );
  });

  it("keeps its order total even where a confidence is not a number", () => {
    const findings = [0.5, Number.NaN, 0.9, Number.NaN].map((confidence, place) =>
      found("schema_analysis", { reason: `${place}`, confidence }),
    );
    expect(orderOf(findings)).toEqual(["2", "0", "1", "3"]);
    expect(orderOf(findings.toReversed())).toEqual(["2", "0", "1", "3"]);
  });

  it("leaves its input as it was, and shares nothing with it", () => {
    const input = onboardingInput();
    const report = assembleReport(input);
    report.run!.tasks[0]!.summary = "changed";
    report.findings[0]!.finding!.reason = "changed";
    report.profiles[0]!.columns[0]!.name = "changed";
    expect(equals(ReportSchema, assembleReport(input), onboardingReport())).toBe(true);
  });

  it("heads each task with the expert's line and the worst severity of its findings", () => {
    const report = onboardingReport();
    expect(report.headlines.map(({ taskId }) => taskId)).toEqual(report.workflow!.tasks.map(({ id }) => id));
    expect(headlineOf(onboardingInput(), "security_scan")).toEqual({
      severity: Severity.CRITICAL,
      text: "3 PII fields require masking: email, phone, ssn",
    });
  });

  it("calls a task that found nothing in order", () => {
    const input = onboardingInput();
    input.run.tasks[0]!.summary = "";
    expect(headlineOf({ ...input, findings: [] }, "schema_analysis")).toEqual({
      severity: Severity.OK,
      text: "Nothing to report",
    });
  });

  it("heads a failed task with its cause and a skipped one with what it waited for", () => {
    expect(headlineOf(failedInput(), "security_scan")).toEqual({
      severity: Severity.ERROR,
      text: "Failed after 3 attempts (DATA_CORRUPT): The footer of the file promises 12 row groups, the file holds 7.",
    });
    expect(headlineOf(failedInput(), "compliance_check")).toEqual({
      severity: Severity.WARNING,
      text: "Skipped: security_scan failed",
    });
  });

  it("tells a task skipped by its own condition from one skipped for another", () => {
    const input = onboardingInput();
    Object.assign(input.run.tasks[4]!, { status: TaskStatus.SKIPPED, skipCause: SkipCause.CONDITION });
    expect(headlineOf({ ...input, findings: [] }, "cost_estimation")).toEqual({
      severity: Severity.INFO,
      text: "Skipped: its condition was false",
    });
  });

  it("reports a run that is still under way", () => {
    const input = onboardingInput();
    Object.assign(input.run.tasks[1]!, { status: TaskStatus.RUNNING });
    Object.assign(input.run.tasks[2]!, { status: TaskStatus.PENDING });
    expect(headlineOf(input, "quality_validation").text).toBe("Still running");
    expect(headlineOf(input, "security_scan").text).toBe("Not started yet");
  });
});
