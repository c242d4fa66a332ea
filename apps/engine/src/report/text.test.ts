import { stripVTControlCharacters } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { ReportSchema } from "@odg/proto/odg/run/v1/run_pb";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { assembleReport } from "./assemble.ts";
import { foundBy } from "./testing/findings.ts";
import { failedInput, hostileReport, onboardingInput, onboardingReport } from "./testing/fixture.ts";
import { renderText } from "./text.ts";

const ESC = "\u001b";

describe("renderText", () => {
  it("opens with status, dataset and counts, in words", () => {
    const [status, dataset, counts] = renderText(onboardingReport()).split("\n");
    expect(status).toBe("✔ SUCCEEDED  onboard_dataset  2.41 s");
    expect(dataset).toContain("customer_transactions: 200,000 rows × 15 columns, 14.3 MB Parquet");
    expect(counts).toContain("‼ 1 critical   ✖ 4 errors   ▲ 6 warnings");
  });

  it("puts what failed before everything else, with cause and remedy", () => {
    const text = renderText(assembleReport(failedInput()));
    expect(text).toContain("✖ security_scan  DATA_CORRUPT  after 3 attempts");
    expect(text).toContain("→ Write the file again, or give one that is whole.");
    expect(text).toContain("⊘ SKIPPED  compliance_check    Skipped: security_scan failed");
    expect(text.indexOf("What failed")).toBeLessThan(text.indexOf("In short"));
  });

  it("shows evidence with its number, its unit and its line", () => {
    const text = renderText(onboardingReport());
    expect(text).toContain("odd spelling: `eur` beside `EUR` (2,000 rows)");
    expect(text).toContain("SQL: SELECT c.*  build_customer_transactions.sql:3");
    expect(text).toContain("5.217 TB × $0.023/GB: $120.00/month");
  });

  it("says a number once where the text of the evidence holds it", () => {
    expect(renderText(onboardingReport())).toContain("distinct values: 200,000 of 200,000 rows\n");
  });

  it("tells the analyzer's findings from the model's", () => {
    const text = renderText(onboardingReport());
    expect(text).toContain("SecurityExpert@1.0.0 · model claude-opus-4.6 · confidence 72%");
    expect(text).toContain("SecurityExpert@1.0.0 · analyzer · confidence 99%");
  });

  it.each([40, 60, 100, 160])("keeps within %d columns, wide characters counted", (columns) => {
    const input = onboardingInput();
    const wide = foundBy("schema_analysis", "SchemaExpert@1.0.0", [
      {
        ruleId: "r",
        severity: Severity.OK,
        reason: "顧客取引".repeat(60),
        subject: { kind: "列", name: "顧客".repeat(50) },
      },
      {
        ruleId: "r",
        severity: Severity.ERROR,
        reason: "顧客取引".repeat(60),
        subject: { kind: "列", name: "x".repeat(300) },
      },
    ]);
    const lines = renderText(assembleReport({ ...input, findings: [...input.findings, ...wide] }), { columns }).split(
      "\n",
    );
    expect(lines.filter((line) => stringWidth(line) > columns)).toEqual([]);
  });

  it("writes escape codes only when colour is asked for, and the same words either way", () => {
    const plain = renderText(onboardingReport());
    const coloured = renderText(onboardingReport(), { color: true });
    expect(plain).not.toContain(ESC);
    expect(coloured).toContain(`${ESC}[`);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it("lets no control character of the data reach the terminal", () => {
    const text = renderText(hostileReport());
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain("⟨U+001B⟩[31mred");
    const coloured = renderText(hostileReport(), { color: true });
    expect(stripVTControlCharacters(coloured).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("stays short where a run found thousands of things", () => {
    const many = (severity: Severity) =>
      foundBy(
        "schema_analysis",
        "SchemaExpert@1.0.0",
        Array.from({ length: 3000 }, () => ({ ruleId: "r", severity })),
      );
    const findings = [...many(Severity.WARNING), ...many(Severity.OK)];
    const text = renderText(assembleReport({ ...onboardingInput(), findings }));
    expect(text.split("\n").length).toBeLessThan(150);
    expect(text).toContain("… and 2,975 more in the full report");
  });

  it("says so where nothing was found, and survives an empty report", () => {
    expect(renderText(assembleReport({ ...onboardingInput(), findings: [] }))).toContain("No findings");
    expect(renderText(create(ReportSchema))).toContain("UNKNOWN");
  });
});
