import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffWorkflows } from "./workflow-diff.ts";

type Init = MessageInitShape<typeof WorkflowSchema>;

function diff(before: Init, after: Init) {
  const versions = [before, after].map((one) => create(WorkflowSchema, { workflowId: "w", ...one }));
  return diffWorkflows(versions[0] ?? create(WorkflowSchema), versions[1] ?? create(WorkflowSchema)).map(
    ({ path, before: was, after: is }) => [path, was, is],
  );
}

describe("diffWorkflows", () => {
  it("answers nothing for the same content, also where tasks and keys stand in another order", () => {
    const [a, b] = [
      { id: "a", action: "x", inputs: { one: 1, two: { deep: [1, 2], flat: true } } },
      { id: "b", action: "y" },
    ];
    const turned = { ...a, inputs: { two: { flat: true, deep: [1, 2] }, one: 1 } };
    expect(diff({ tasks: [a, b] }, { tasks: [b, turned] })).toEqual([]);
  });

  it("names the field, in the words of the file", () => {
    const task = { id: "profile", action: "x", dependsOn: ["schema"] };
    const before = { tasks: [{ ...task, retry: { maxAttempts: 2 }, timeout: durationFromMs(5000) }] };
    const after = { tasks: [{ ...task, retry: { maxAttempts: 3 }, dependsOn: ["schema", "load"] }] };
    expect(diff(before, after)).toEqual([
      ["tasks.profile.depends_on", '["schema"]', '["schema","load"]'],
      ["tasks.profile.retry.max_attempts", "2", "3"],
      ["tasks.profile.timeout", '"5s"', ""],
    ]);
  });

  it("shows a whole task that came or went, and the workflow's own fields before the tasks", () => {
    const before = { tasks: [{ id: "old", action: "x" }], description: "one" };
    const after = { tasks: [{ id: "new", action: "x" }], description: "two", onFailure: "fail_fast" };
    expect(diff(before, after)).toEqual([
      ["description", '"one"', '"two"'],
      ["on_failure", "", '"fail_fast"'],
      ["tasks.new", "", '{"action":"x"}'],
      ["tasks.old", '{"action":"x"}', ""],
    ]);
  });

  it("writes a key that is no name in brackets, and takes the names of objects' own members for data", () => {
    const before = { inputs: { "a.b": 1 } };
    const after = { inputs: JSON.parse('{"a.b": 2, "__proto__": {"x": 1}, "constructor": 3}') };
    expect(diff(before, after)).toEqual([
      ['inputs["a.b"]', "1", "2"],
      ["inputs.__proto__", "", '{"x":1}'],
      ["inputs.constructor", "", "3"],
    ]);
  });

  it("answers the same paths both ways, with before and after exchanged", () => {
    const workflow = fc.record({
      description: fc.constantFrom("", "one", "two"),
      tasks: fc.uniqueArray(
        fc.record({ id: fc.constantFrom("a", "b", "c"), action: fc.constantFrom("x", "y"), inputs: inputs() }),
        { selector: ({ id }) => id, maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(workflow, workflow, (one, two) => {
        const forth = diff(one, two).sort();
        const back = diff(two, one).map(([path, was, is]) => [path, is, was]);
        expect(forth).toEqual(back.sort());
      }),
      { numRuns: 200 },
    );
  });
});

function inputs() {
  const value = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.boolean(), fc.constantFrom("t", null));
  return fc.dictionary(fc.constantFrom("p", "q", "r.s"), fc.oneof(value, fc.dictionary(fc.constantFrom("u"), value)));
}
