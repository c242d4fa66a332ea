import { create, equals, fromJsonString } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ReportSchema, RunSchema } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, it } from "vitest";
import { assembleReport } from "./assemble.ts";
import { renderHtml } from "./html.ts";
import { renderJson, stableReport } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { onboardingInput, onboardingReport } from "./testing/fixture.ts";

describe("renderJson", () => {
  it("writes the whole report, so that reading it back gives an equal one", () => {
    const report = onboardingReport();
    expect(equals(ReportSchema, fromJsonString(ReportSchema, renderJson(report)), report)).toBe(true);
  });

  it("writes what JSON cannot hold by its name, as experts in any language may send it", () => {
    const report = onboardingReport();
    report.context[0]!.value = create(ValueSchema, {
      kind: {
        case: "structValue",
        value: { fields: { ratio: { kind: { case: "numberValue", value: Number.NaN } }, none: {} } },
      },
    });
    report.run!.tasks[0]!.output = create(ValueSchema, { kind: { case: "numberValue", value: -Infinity } });
    const json = JSON.parse(renderJson(report));
    expect(json.context[0].value).toEqual({ ratio: "NaN", none: null });
    expect(json.run.tasks[0].output).toBe("-Infinity");
    expect(renderHtml(report)).toContain("{&quot;ratio&quot;:&quot;NaN&quot;,&quot;none&quot;:null}");
    expect(renderMarkdown(report)).toContain('{"ratio":"NaN","none":null}');
  });

  it("writes equal reports equally", () => {
    expect(renderJson(onboardingReport())).toBe(renderJson(onboardingReport()));
  });
});

describe("stableReport", () => {
  it("is equal for two runs over the same input at different times", () => {
    const input = onboardingInput();
    const later = { ...input, run: create(RunSchema, { ...input.run, runId: "another", lastSeq: 99n }) };
    later.run.createTime = timestampFromMs(1);
    later.run.endTime = timestampFromMs(2);
    later.run.tasks = input.run.tasks.map((task) => ({ ...task, startTime: timestampFromMs(1), endTime: undefined }));
    later.profiles = input.profiles.map((profile) => ({ ...profile, durationMs: 1 }));
    later.context = input.context.map((entry) => ({ ...entry, seq: 77n }));
    const [one, other] = [assembleReport(input), assembleReport(later)].map(stableReport);
    expect(equals(ReportSchema, one!, other!)).toBe(true);
  });

  it("differs where a finding differs", () => {
    const report = onboardingReport();
    const other = onboardingReport();
    other.findings[3]!.finding!.reason = "Something else.";
    expect(equals(ReportSchema, stableReport(report), stableReport(other))).toBe(false);
  });

  it("leaves the report itself as it was", () => {
    const report = onboardingReport();
    stableReport(report);
    expect(equals(ReportSchema, report, onboardingReport())).toBe(true);
  });
});
