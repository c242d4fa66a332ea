// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how bindings are written.
import { create, type JsonObject } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { TaskSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { bindInputs, bindText, evaluateItems, evaluateWhen } from "./binding.ts";
import type { Scope } from "./scope.ts";

const scope: Scope = {
  run: { id: "run-1", inputs: { dataset: "a.csv", n: 2 } },
  tasks: new Map([["schema", { status: "SUCCEEDED", output: { rows: 12, keys: ["id"], who: "jane@x.org" } }]]),
};

function bound(inputs: JsonObject | undefined) {
  return bindInputs(create(TaskSchema, { id: "t", inputs }), scope);
}

describe("bindInputs", () => {
  test("a text that is one expression as a whole becomes its value, with its type", () => {
    expect(bound({ rows: "${tasks.schema.output.rows}", all: "${ tasks.schema.output.keys }" }).value).toEqual({
      rows: 12,
      all: ["id"],
    });
  });

  test("an expression among other characters becomes part of a text", () => {
    expect(bound({ x: "${run.inputs.dataset}: ${run.inputs.n} of ${tasks.schema.output.keys}" }).value).toEqual({
      x: 'a.csv: 2 of ["id"]',
    });
  });

  test("$${ is a plain ${, and braces within expressions are their own", () => {
    expect(bound({ a: "$${x}", b: "costs $5", c: "$$${run.id}" }).value).toEqual({
      a: "${x}",
      b: "costs $5",
      c: "$${run.id}",
    });
    expect(bound({ a: "${{'k': '}'}.k}", b: "${ r'\\' + \"}\" + '''}'''}", c: "{${run.id}}" }).value).toEqual({
      a: "}",
      b: "\\}}",
      c: "{run-1}",
    });
  });

  test("lists and objects are bound inside, and other values stay as they are", () => {
    const inputs = { deep: [{ x: "${run.id}" }, 1, null, true], plain: "text" };
    expect(bound(inputs).value).toEqual({ deep: [{ x: "run-1" }, 1, null, true], plain: "text" });
  });

  test("a task without inputs gets those of the run; empty inputs stay empty", () => {
    expect(bound(undefined).value).toEqual(scope.run.inputs);
    expect(bound({}).value).toEqual({});
  });

  test("keys that look like a prototype are data", () => {
    const { value } = bound(JSON.parse('{"__proto__": {"x": "${run.id}"}, "constructor": 1}') as JsonObject);
    expect(Object.keys(value!)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("what the data hold is never read as an expression", () => {
    const hostile: Scope = { ...scope, run: { id: "r", inputs: { x: "${run.id}" } } };
    expect(
      bindInputs(create(TaskSchema, { inputs: { y: "${run.inputs.x}", z: "a ${run.inputs.x}" } }), hostile).value,
    ).toEqual({
      y: "${run.id}",
      z: "a ${run.id}",
    });
  });

  test("a failure names the input and what is wrong, is final, and quotes nothing of the data", () => {
    const { failure } = bound({ a: { b: "${int(tasks.schema.output.who)}" } });
    expect(failure).toMatchObject({ reason: Reason.EXPR_INVALID, subject: "inputs.a.b", retryable: false });
    expect(JSON.stringify(failure)).not.toContain("jane");
    expect(bound({ a: "${type(1)}" }).failure?.message).toContain("has no JSON form");
    expect(bound({ a: "x ${" }).failure?.message).toContain("never closed");
  });
});

describe("evaluateWhen", () => {
  const when = (text: string) => evaluateWhen(create(TaskSchema, { when: text }), scope);

  test("is true without a condition, and otherwise what the condition says", () => {
    expect(when("").value).toBe(true);
    expect(when("tasks.schema.output.rows > 10").value).toBe(true);
    expect(when("tasks.schema.output.rows > 100").value).toBe(false);
  });

  test("fails where the condition is not true or false, or cannot be evaluated", () => {
    expect(when("1").failure).toMatchObject({ subject: "when", reason: Reason.EXPR_INVALID });
    expect(when("tasks.schema.output.nope").failure?.hint).toContain("has(");
  });
});

describe("the items of a task", () => {
  const items = (expression: string, more = {}) =>
    evaluateItems(create(TaskSchema, { id: "t", forEach: { items: expression, ...more } }), scope);

  test("are the list that its expression answers", () => {
    expect(items("tasks.schema.output.keys").value).toEqual(["id"]);
    expect(items("[1, {'a': run.inputs.n}]").value).toEqual([1, { a: 2 }]);
    expect(items("[]").value).toEqual([]);
  });

  test("are a failure where the answer is no list, or longer than the task allows", () => {
    expect(items("run.inputs").failure).toMatchObject({ reason: Reason.EXPR_INVALID, subject: "for_each.items" });
    expect(items("[1, 2, 3]", { maxItems: 2 }).failure).toMatchObject({
      reason: Reason.DAG_TOO_LARGE,
      message: "The list has 3 items; at most 2 are accepted.",
      retryable: false,
    });
  });

  test("are read by the inputs as item and index, which a loop's own variable may hide", () => {
    const task = create(TaskSchema, {
      id: "t",
      inputs: { it: "${item.name}", at: "${index + 1}", own: "${[1, 2].map(item, item * 2)}" },
    });
    expect(bindInputs(task, { ...scope, item: { name: "a" }, index: 3 }).value).toEqual({
      it: "a",
      at: 4,
      own: [2, 4],
    });
  });
});

test("a text of a task is bound as a text, whatever its holes answer", () => {
  expect(bindText("Keep ${tasks.schema.output.rows} rows?", scope, "approval.question").value).toBe("Keep 12 rows?");
  expect(bindText("${tasks.schema.output.keys}", scope, "approval.question").value).toBe('["id"]');
  expect(bindText("${tasks.schema.output.no}", scope, "approval.question").failure?.subject).toBe("approval.question");
});
