// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how bindings are written.
import type { JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonOf } from "./cel-value.ts";
import { compileExpression } from "./expression.ts";
import type { Scope } from "./scope.ts";

const scope: Scope = {
  run: { id: "run-1", inputs: { dataset: "s3://a.parquet", limit: 10, tags: ["x", "y"] } },
  tasks: new Map([
    [
      "schema",
      {
        status: "SUCCEEDED",
        output: { rows: 2_000_000, columns: [{ name: "email" }, { name: "id" }], owner: "jane@x.org" },
      },
    ],
    ["my-task", { status: "SKIPPED" }],
  ]),
};

function resultOf(text: string): JsonValue | undefined {
  const { expression, problems } = compileExpression(text);
  if (problems !== undefined) throw new Error(problems[0]?.message);
  const { value, problem } = expression.evaluate(scope);
  if (problem !== undefined) throw new Error(problem.message);
  return jsonOf(value);
}

describe("an expression", () => {
  test.each<[string, JsonValue]>([
    ["run.id", "run-1"],
    ["run.inputs.dataset.endsWith('.parquet')", true],
    ["tasks.schema.output.rows > 1000000", true],
    ["tasks.schema.output.rows * 2.0", 4_000_000],
    ["size(tasks.schema.output.columns) == 2", true],
    ["tasks.schema.output.columns.map(c, c.name)", ["email", "id"]],
    ["tasks.schema.output.columns.filter(c, c.name == 'id')[0]", { name: "id" }],
    ["tasks.schema.output.columns.exists(c, c.name.matches('^e'))", true],
    ["has(tasks.schema.output.nothing) ? 1 : 2", 2],
    ["tasks['my-task'].status", "SKIPPED"],
    ["tasks['my-task'].output == null", true],
    ["{'a': [1, 2u, 3.5], 'b': true}", { a: [1, 2, 3.5], b: true }],
    ["run.inputs.tags + ['z']", ["x", "y", "z"]],
    ["duration('90s')", "90s"],
    ["type(1) == int", true],
    ["9007199254740993", "9007199254740993"],
    ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
  ])("%s", (text, value) => {
    expect(resultOf(text)).toEqual(value);
  });

  test("tells which tasks it reads", () => {
    const { expression } = compileExpression("tasks.a.output.x == 1 &&\n has(tasks['b-c'].output.y)");
    expect(expression?.references.map(({ id, line }) => [id, line])).toEqual([
      ["a", 1],
      ["b-c", 2],
    ]);
  });
});

describe("what does not compile", () => {
  test.each([
    ["", "The expression is empty."],
    ["1 +", '"+" is not expected here.'],
    ["foo(1)", 'There is no function "foo".'],
    ["run.inputs.eval('x')", 'There is no function "eval".'],
    ["runn.id", 'There is no variable "runn".'],
    ["process.env", 'There is no variable "process".'],
    ["constructor", 'There is no variable "constructor".'],
    ["tasks", "tasks is not a value by itself."],
    ["tasks[run.inputs.x].output", "tasks is not a value by itself."],
    ["tasks.all(t, true)", "tasks is not a value by itself."],
    ["tasks.a.outptu", 'A task has no "outptu" here.'],
    ["run.secrets", 'run has no "secrets" here.'],
    ["[1].map(1, 2)", "map is not used as it should be."],
    ["[1].map(tasks, tasks)", '"tasks" cannot name a loop\'s variable.'],
    ["99999999999999999999", "The number does not fit 64 bits."],
    ["google.protobuf.Timestamp{}", 'Messages such as "google.protobuf.Timestamp" cannot be built here.'],
    ["x".repeat(10_001), "The expression is longer than 10000 characters."],
    ["(".repeat(51) + ")".repeat(51), "Brackets are nested more than 50 deep."],
    [`1${"+1".repeat(3_000)}`, "The expression is too complex: more than 2000 parts, or 200 deep."],
    [`true${"?true:true".repeat(900)}`, /complex/],
  ])("%.40s", (text, message) => {
    const { problems = [] } = compileExpression(text);
    expect(problems[0]?.message).toMatch(message);
  });
});

describe("what goes wrong on the data", () => {
  test.each([
    ["tasks.schema.output.nope", 'There is no field "nope".'],
    ["tasks.schema.output.rows * 2", "No matching overload for '_*_' applied to '(double, int)'."],
    ["run.inputs.tags[7]", "The index is out of bounds."],
    ["int(tasks.schema.output.owner)", "The value cannot be converted."],
    ["{'a': 1}[tasks.schema.output.owner]", "There is no such field."],
    [
      "{tasks.schema.output.owner: 1, tasks.schema.output.owner: 2}",
      "The expression cannot be evaluated on these values.",
    ],
    ["bool(tasks.schema.output.owner)", "The value cannot be converted."],
    ["1 / 0", "Division by zero."],
  ])("%s", (text, message) => {
    const { problem } = compileExpression(text).expression!.evaluate(scope);
    expect(problem?.message).toBe(message);
    expect(JSON.stringify(problem)).not.toContain("jane");
  });

  test.each([
    ["rounds", "run.inputs.big.map(a, 1).size() > 0 && run.inputs.big.all(a, run.inputs.big.all(b, b >= 0))"],
    ["rounds that errors would hide", "run.inputs.big.exists(a, run.inputs.big.exists(b, 1 / 0 == 1)) || true"],
    ["text", `[run.inputs.text]${".map(x, x + x)".repeat(30)}`],
    ["elements", `[run.inputs.big]${".map(x, x + x)".repeat(30)}`],
  ])("the budget of %s is kept, quickly", (_, text) => {
    const inputs = { big: Array.from({ length: 3_000 }, (__, i) => i), text: "0123456789" };
    const begin = performance.now();
    const { problem } = compileExpression(text).expression!.evaluate({ ...scope, run: { id: "r", inputs } });
    expect(problem?.message).toMatch(/^The expression goes over its budget/);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  test("a list of ten thousand is mapped and filtered within the budget", () => {
    const inputs = { big: Array.from({ length: 9_000 }, (_, i) => i) };
    const { value } = compileExpression("run.inputs.big.filter(x, x > 3)").expression!.evaluate({
      ...scope,
      run: { id: "r", inputs },
    });
    expect(jsonOf(value!)).toHaveLength(8_996);
  });

  test("an output without a JSON form is a problem, not an exception", () => {
    const tasks = {
      get: () => {
        throw new Error("cannot encode NaN");
      },
    };
    expect(compileExpression("tasks.a.output").expression!.evaluate({ ...scope, tasks }).problem).toBeDefined();
  });
});

test("whatever the text, compiling and evaluating throw nothing", () => {
  const words = fc.constantFrom(
    "tasks",
    "run",
    ".inputs",
    ".a",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "1",
    "'x'",
    "+",
    "==",
    "?",
    ":",
    "&&",
    "map",
    ",",
    "!",
    "-",
    "0.5",
    "in",
    " ",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words).map((parts) => parts.join("")),
      ),
      (text) => {
        const { expression, problems } = compileExpression(text);
        if (problems !== undefined) expect(problems.length).toBeGreaterThan(0);
        else expect(expression.evaluate(scope)).toBeDefined();
      },
    ),
    { numRuns: 500 },
  );
});
