import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { jsonOf } from "./cel-value.ts";
import { compileExpression, type ExpressionProblem } from "./expression.ts";
import { MAX_ITEMS } from "./items.ts";
import { joinPath } from "./path.ts";
import type { Scope } from "./scope.ts";
import { type Hole, parseTemplate } from "./template.ts";

/** The value, or why there is none: never retryable, and without any value of the data. */
export type BindingResult<T> = { value: T; failure?: undefined } | { value?: undefined; failure: Failure };

/** Most values in the list of a `for_each`, nested ones counted: a hundred for each item. */
const MAX_ITEM_VALUES = 100 * MAX_ITEMS;

/** Longest text that the holes of one string may make, in UTF-16 units. */
const MAX_TEXT = 1_000_000;

/** Calls `visit` for every text in a JSON value, with its path below `path`. */
export function eachText(value: JsonValue, path: string, visit: (text: string, path: string) => void): void {
  const todo: [JsonValue, string][] = [[value, path]];
  while (todo.length > 0) {
    const [json, at] = todo.pop()!;
    if (typeof json === "string") visit(json, at);
    else if (Array.isArray(json)) for (let i = json.length - 1; i >= 0; i--) todo.push([json[i]!, `${at}[${i}]`]);
    else if (json !== null && typeof json === "object") {
      for (const key of Object.keys(json).reverse()) todo.push([json[key]!, joinPath(at, key)]);
    }
  }
}

/**
 * The inputs of a task. A text that is `${ … }` as a whole becomes the expression's value, with its type; one that holds `${ … }`
 * among other characters becomes a text. `$${` is a plain `${`. A task without inputs gets those of the run.
 */
export function bindInputs(task: Task, scope: Scope): BindingResult<JsonObject> {
  if (task.inputs === undefined) return { value: scope.run.inputs };
  const binder = new Binder(scope);
  const value = binder.bind(task.inputs, "inputs");
  return binder.failure === undefined ? { value: value as JsonObject } : { failure: binder.failure };
}

/** Whether the task is to run: its `when`, true where it has none. */
export function evaluateWhen(task: Task, scope: Scope): BindingResult<boolean> {
  if (task.when === "") return { value: true };
  const { value, problem } = evaluate(task.when, scope);
  if (problem !== undefined) return { failure: failureOf(problem, "when") };
  if (typeof value === "boolean") return { value };
  return { failure: failureOf({ message: "The condition is neither true nor false.", line: 1, column: 1 }, "when") };
}

/** A text of a task that is for people or names something, such as the question of its approval: every `${ … }` in it becomes text. */
export function bindText(text: string, scope: Scope, subject: string): BindingResult<string> {
  const binder = new Binder(scope);
  const value = binder.bind(text, subject);
  return binder.failure === undefined ? { value: textOf(value) } : { failure: binder.failure };
}

/** The items of a task with `for_each`. A list that is longer than the task allows is a failure (`DAG_TOO_LARGE`), not cut. */
export function evaluateItems({ forEach }: Task, scope: Scope): BindingResult<JsonValue[]> {
  const subject = "for_each.items";
  const { value, problem } = evaluate(forEach?.items ?? "", scope, MAX_ITEM_VALUES);
  if (problem !== undefined) return { failure: failureOf(problem, subject) };
  if (!Array.isArray(value))
    return { failure: failureOf({ message: "The result is no list.", line: 1, column: 1 }, subject) };
  const most = forEach?.maxItems || MAX_ITEMS;
  if (value.length <= most) return { value };
  const message = `The list has ${value.length} items; at most ${most} are accepted.`;
  return { failure: create(FailureSchema, { reason: Reason.DAG_TOO_LARGE, message, subject }) };
}

class Binder {
  failure: Failure | undefined;
  #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  bind(json: JsonValue, path: string): JsonValue {
    if (this.failure !== undefined) return null;
    if (typeof json === "string") return json.includes("${") ? this.#text(json, path) : json;
    if (Array.isArray(json)) return json.map((element, i) => this.bind(element, `${path}[${i}]`));
    if (json === null || typeof json !== "object") return json;
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.bind(value, joinPath(path, key))]));
  }

  #text(text: string, path: string): JsonValue {
    const { template, unclosed } = parseTemplate(text);
    if (template === undefined)
      return this.#fail({ message: "This ${ is never closed.", line: 1, column: unclosed + 1 }, path);
    const [first] = template;
    if (template.length === 1 && typeof first === "object") return this.#hole(first, path);
    let made = "";
    for (const part of template) {
      made += typeof part === "string" ? part : textOf(this.#hole(part, path));
      if (made.length > MAX_TEXT)
        return this.#fail({ message: `The text is longer than ${MAX_TEXT} characters.`, line: 1, column: 1 }, path);
    }
    return made;
  }

  #hole({ expression }: Hole, path: string): JsonValue {
    if (this.failure !== undefined) return null;
    const { value, problem } = evaluate(expression, this.#scope);
    return problem === undefined ? value : this.#fail(problem, path);
  }

  #fail(problem: ExpressionProblem, path: string): null {
    this.failure ??= failureOf(problem, path);
    return null;
  }
}

type JsonResult = { value: JsonValue; problem?: undefined } | { value?: undefined; problem: ExpressionProblem };

function evaluate(text: string, scope: Scope, maxValues?: number): JsonResult {
  const { expression, problems } = compileExpression(text);
  if (problems !== undefined) return { problem: problems[0]! };
  const result = expression.evaluate(scope);
  if (result.problem !== undefined) return { problem: result.problem };
  const value = jsonOf(result.value, maxValues);
  if (value !== undefined) return { value };
  return {
    problem: {
      message: "The result has no JSON form: it is a type, no finite number, or too large.",
      line: 1,
      column: 1,
    },
  };
}

function failureOf({ message, hint, line, column }: ExpressionProblem, subject: string): Failure {
  return create(FailureSchema, {
    reason: Reason.EXPR_INVALID,
    message: `${message.replace(/\.$/, "")} (line ${line}, column ${column} of the expression).`,
    subject,
    hint: hint ?? "",
  });
}

function textOf(json: JsonValue): string {
  return typeof json === "string" ? json : JSON.stringify(json);
}
