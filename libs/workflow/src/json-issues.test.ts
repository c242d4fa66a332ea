import { type DescField, type DescMessage, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { EventSchema } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonIssues } from "./json-issues.ts";

function told(json: JsonValue): string[] {
  return jsonIssues(EventSchema, json).map(({ path, reason }) => `${path} ${Reason[reason]}`.trim());
}

describe("jsonIssues", () => {
  test("takes every form that protobuf JSON has", () => {
    const json = {
      run_id: "r",
      seq: "9223372036854775807",
      time: "2026-01-31T12:00:00.5Z",
      taskCompleted: {
        task: "7",
        attempt: 1,
        output: null,
        findings: [
          { severity: "SEVERITY_WARNING", confidence: "NaN" },
          { severity: 3, confidence: 0.5 },
        ],
        contextWrites: [{ key: "k", value: { any: [1, "x", null] }, expectedVersion: 0 }],
      },
    };
    expect(told(json)).toEqual([]);
    expect(fromJson(EventSchema, json).kind.case).toBe("taskCompleted");
  });

  test.each<[JsonValue, string]>([
    [{ seq: 1.5 }, "seq FIELD_TYPE"],
    [{ seq: "9223372036854775808" }, "seq FIELD_TYPE"],
    [{ seq: "x" }, "seq FIELD_TYPE"],
    [{ time: "yesterday" }, "time FIELD_TYPE"],
    [{ time: "2026-13-01T00:00:00Z" }, "time FIELD_TYPE"],
    [{ task_started: { task: -1 } }, "task_started.task FIELD_TYPE"],
    [{ task_skipped: { cause: "SKIP_CAUSE_WHATEVER" } }, "task_skipped.cause FIELD_TYPE"],
    [{ run_started: { labels: { a: 1 } } }, "run_started.labels.a FIELD_TYPE"],
    [{ run_started: { labels: [] } }, "run_started.labels FIELD_TYPE"],
    [{ run_started: { pins: { "a b": null } } }, 'run_started.pins["a b"] FIELD_TYPE'],
    [{ run_started: {}, run_completed: {} }, "run_completed FIELD_TYPE"],
    [{ run_started: { request_id: "\ud800" } }, "run_started.request_id BAD_ENCODING"],
    [{ task_completed: { output: { x: ["\0"] } } }, "task_completed.output.x[0] BAD_ENCODING"],
    [{ run_cancel_requested: { raeson: "" } }, "run_cancel_requested.raeson UNKNOWN_FIELD"],
    ["text", "FIELD_TYPE"],
    [null, "FIELD_TYPE"],
  ])("%j", (json, issue) => {
    expect(told(json)).toEqual([issue]);
  });

  test("what it lets pass, fromJson takes", () => {
    for (const desc of [WorkflowSchema, EventSchema]) {
      fc.assert(
        fc.property(messages(desc, 4), (json) => {
          if (jsonIssues(desc, json).length === 0) fromJson(desc, json);
        }),
        { numRuns: 1_000 },
      );
    }
  });
});

const leaves: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue[]>(
    null,
    true,
    0,
    1,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    "",
    "a",
    "1",
    "-7",
    "1.5",
    "30s",
    "5m",
    "1e3",
    "NaN",
    "2026-01-31T12:00:00Z",
  ),
  fc.constantFrom<JsonValue[]>(
    "SEVERITY_OK",
    "SKIP_CAUSE_UPSTREAM",
    [],
    {},
    [null],
    { a: 1 },
    "\ud800",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
  ),
);

// Messages with true field names whose values are now right, now wrong.
function messages(desc: DescMessage, depth: number): fc.Arbitrary<JsonValue> {
  if (depth === 0 || desc.fields.length === 0 || desc.typeName.startsWith("google.")) return leaves;
  const fields = Object.fromEntries(desc.fields.map((field) => [field.name, values(field, depth)]));
  return fc.record(fields, { requiredKeys: [] }).map((json): JsonValue => json as JsonObject);
}

function values(field: DescField, depth: number): fc.Arbitrary<JsonValue> {
  const one = field.message === undefined ? leaves : fc.oneof(leaves, messages(field.message, depth - 1));
  if (field.fieldKind === "list") return fc.oneof(leaves, fc.array(one, { maxLength: 2 }));
  return field.fieldKind === "map" ? fc.oneof(leaves, fc.dictionary(fc.string(), one, { maxKeys: 2 })) : one;
}
