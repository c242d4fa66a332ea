import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWorkflow } from "./parse.ts";

/** `line:column path REASON` of each issue. */
function told(text: string, source?: string): string[] {
  const { issues = [] } = parseWorkflow(text, source);
  return issues.map(({ line, column, path, reason }) =>
    `${line}:${column} ${path} ${Reason[reason]}`.replace("  ", " "),
  );
}

describe("a good workflow", () => {
  const json = `{
  "workflow_id": "w",
  "tasks": [
    {"id": "a", "action": "x", "inputs": {"file_path": "s3://a", "n": 1.5}, "timeout": "30s"},
    {"id": "b", "action": "y", "depends_on": ["a"], "retry": {"max_attempts": 3, "initial_interval": "0.5s"}}
  ]
}`;
  const yaml = `
# the same
workflow_id: w
tasks:
  - {id: a, action: x, inputs: {file_path: "s3://a", n: 1.5}, timeout: 30s}
  - id: b
    action: y
    dependsOn: [a]
    retry: {maxAttempts: 3, initialInterval: 0.5s}
`;

  test("is read alike from JSON, from YAML, and with protobuf's own names", () => {
    const { workflow } = parseWorkflow(json);
    expect(workflow?.tasks[1]?.dependsOn).toEqual(["a"]);
    expect(workflow?.tasks[0]?.inputs).toEqual({ file_path: "s3://a", n: 1.5 });
    expect(parseWorkflow(yaml).workflow).toEqual(workflow);
  });

  test("tells where its parts stand", () => {
    expect(parseWorkflow(json).locate?.(["tasks", 1, "depends_on", 0])).toEqual({ line: 5, column: 47 });
    expect(parseWorkflow(json).locate?.(["tasks", 1, "depends_on"])).toEqual({ line: 5, column: 32 });
    expect(parseWorkflow(yaml).locate?.(["tasks", 1, "retry"])).toEqual({ line: 9, column: 5 });
    expect(parseWorkflow(json).locate?.(["tasks", 7])).toBeUndefined();
  });

  test("may hold the keys __proto__ and constructor, which are data like any other", () => {
    for (const text of [
      '{"inputs":{"__proto__":{"x":1},"constructor":2}}',
      "inputs:\n  __proto__: {x: 1}\n  constructor: 2\n",
    ]) {
      const inputs = parseWorkflow(text).workflow?.inputs ?? {};
      expect(Object.keys(inputs).sort()).toEqual(["__proto__", "constructor"]);
      expect(Object.getPrototypeOf(inputs)).toBe(Object.prototype);
      expect(({} as { x?: number }).x).toBeUndefined();
    }
  });

  test("may begin with a byte order mark", () => {
    expect(parseWorkflow(`\uFEFF${json}`).issues).toBeUndefined();
  });
});

describe("MALFORMED_JSON", () => {
  test.each([
    ["", "1:1 MALFORMED_JSON"],
    [" \n\t", "1:1 MALFORMED_JSON"],
    ["{", "1:2 MALFORMED_JSON"],
    ['{"tasks": [}', "1:12 tasks[0] MALFORMED_JSON"],
    ['{"tasks": [],}', "1:14 MALFORMED_JSON"],
    ["{'tasks': []}", "1:2 MALFORMED_JSON"],
    ['{"tasks": []} x', "1:15 MALFORMED_JSON"],
    ['{"workflow_id": "a\nb"}', "1:17 workflow_id MALFORMED_JSON"],
    ['{"workflow_id": "a\\x"}', "1:17 workflow_id MALFORMED_JSON"],
    ['{"workflow_id": 01}', "1:18 MALFORMED_JSON"],
    ['{\n "inputs": {"a": 1,\n "a": 2}}', "3:2 inputs.a MALFORMED_JSON"],
    ['{"tasks": [{"depends_on": [], "dependsOn": []}]}', "1:31 tasks[0].dependsOn MALFORMED_JSON"],
  ])("%j", (text, issue) => {
    expect(told(text)).toContain(issue);
  });

  test.each([
    ["a: 1\na: 2", "2:1 MALFORMED_JSON"],
    ["tasks:\n\t- a", "2:1 MALFORMED_JSON"],
    ["workflow_id: a\n---\nworkflow_id: b", "2:1 MALFORMED_JSON"],
    ["inputs: !!binary aGk=", "1:9 MALFORMED_JSON"],
    ["inputs: *nowhere", "0:0 MALFORMED_JSON"],
  ])("in YAML %j", (text, issue) => {
    expect(told(text, "w.yaml")).toContain(issue);
  });

  test("an alias bomb is refused before it goes off", () => {
    const rows = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef"]) rows.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    const begin = performance.now();
    expect(told(rows.join("\n"))).toEqual(["0:0 MALFORMED_JSON"]);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});

describe("FIELD_TYPE", () => {
  test.each([
    ['{"workflow_id": 1}', "1:2 workflow_id FIELD_TYPE"],
    ["[]", "1:1 FIELD_TYPE"],
    ['{"tasks": {}}', "1:2 tasks FIELD_TYPE"],
    ['{"tasks": [null]}', "1:12 tasks[0] FIELD_TYPE"],
    ['{"inputs": []}', "1:2 inputs FIELD_TYPE"],
    ['{"inputs": {"x": 1e999}}', "1:13 inputs.x FIELD_TYPE"],
    ['{"tasks": [{"retry": {"max_attempts": 1.5}}]}', "1:23 tasks[0].retry.max_attempts FIELD_TYPE"],
    ['{"tasks": [{"retry": {"max_attempts": 4294967296}}]}', "1:23 tasks[0].retry.max_attempts FIELD_TYPE"],
    ['{"tasks": [{"retry": {"max_attempts": -1}}]}', "1:23 tasks[0].retry.max_attempts FIELD_TYPE"],
    ['{"tasks": [{"timeout": "5m"}]}', "1:13 tasks[0].timeout FIELD_TYPE"],
    ['{"tasks": [{"timeout": 5}]}', "1:13 tasks[0].timeout FIELD_TYPE"],
    ['{"tasks": [{"depends_on": ["a", 2]}]}', "1:33 tasks[0].depends_on[1] FIELD_TYPE"],
  ])("%s", (text, issue) => {
    expect(told(text)).toEqual([issue]);
  });

  test("a YAML number that JSON has not", () => {
    expect(told("inputs: {x: .nan}")).toEqual(["1:10 inputs.x FIELD_TYPE"]);
  });
});

describe("the other reasons", () => {
  test("UNKNOWN_FIELD comes with the field that may have been meant", () => {
    const { issues } = parseWorkflow('{"tasks": [{"id": "a", "depend_on": []}], "max_cots": 3}');
    expect(issues?.map(({ path, reason, hint }) => [path, reason, hint])).toEqual([
      ["tasks[0].depend_on", Reason.UNKNOWN_FIELD, 'Did you mean "depends_on"?'],
      ["max_cots", Reason.UNKNOWN_FIELD, "Fields here: workflow_id, tasks, description, inputs, timeout, on_failure."],
    ]);
  });

  test("TOO_DEEP from the hundred-and-first level, also within free data, and at any depth at all", () => {
    const nested = (depth: number) => `{"inputs": {"x": ${"[".repeat(depth)}${"]".repeat(depth)}}}`;
    expect(told(nested(98))).toEqual([]);
    for (const depth of [100, 5_000, 200_000]) expect(told(nested(depth))[0]).toMatch(/TOO_DEEP$/);
    for (const depth of [110, 5_000])
      expect(told(`inputs: {x: ${"[".repeat(depth)}${"]".repeat(depth)}}`)[0]).toMatch(/TOO_DEEP$/);
    expect(told("inputs: {x: &a [*a, *a]}")[0]).toMatch(/TOO_DEEP$/);
  });

  test("BAD_ENCODING for half a surrogate pair and for NUL, in values and in keys", () => {
    expect(told('{"description": "\\ud800"}')).toEqual(["1:2 description BAD_ENCODING"]);
    expect(told('{"inputs": {"a": "\\u0000", "b\\ud800": 1}}')[0]).toBe("1:13 inputs.a BAD_ENCODING");
    expect(told('{"inputs": {"b\\ud800": 1}}')).toHaveLength(1);
    expect(told('{"description": "\\ud83d\\ude00"}')).toEqual([]);
  });

  test("MESSAGE_TOO_LARGE for a text that is never read", () => {
    expect(told(" ".repeat(16 * 1024 * 1024 + 1))).toEqual(["0:0 MESSAGE_TOO_LARGE"]);
  });
});

test("all problems are told at once, and none quotes a value", () => {
  const text =
    '{"workflow_id": 5, "tasks": [{"id": {"secret": "hunter2"}, "action": ["hunter2"], "timeout": "hunter2"}]}';
  const { issues } = parseWorkflow(text);
  expect(issues?.map(({ path }) => path)).toEqual([
    "workflow_id",
    "tasks[0].id",
    "tasks[0].action",
    "tasks[0].timeout",
  ]);
  expect(JSON.stringify(issues)).not.toContain("hunter2");
});

test("whatever the text, the answer is a workflow or issues, and never an exception", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]",:-&*!| \n\t01eax') })),
      (text) => {
        for (const source of ["", "w.yaml", "w.json"]) {
          const { workflow, issues } = parseWorkflow(text, source);
          expect((workflow === undefined) !== (issues === undefined)).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("strict JSON is what JSON.parse takes", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const { issues } = parseWorkflow(`{"inputs": {"x": ${text}}}`);
      expect(issues?.every(({ reason }) => reason !== Reason.MALFORMED_JSON) ?? true).toBe(true);
    }),
  );
});
