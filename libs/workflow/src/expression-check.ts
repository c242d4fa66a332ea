import type { CelEnv, parse } from "@bufbuild/cel";
import { closest, quote } from "./issue.ts";

/** An expression as the parser gives it. */
export type ParsedExpr = ReturnType<typeof parse>;
/** A node of its tree. */
export type Expr = ParsedExpr["expr"];
type NodeOf<Case extends string> = Extract<Expr["exprKind"], { case: Case }>["value"];
/** What the macros become. */
export type Loop = NodeOf<"comprehensionExpr">;

/** Something wrong with an expression; line and column count from 1, within the expression. */
export interface ExpressionProblem {
  message: string;
  hint?: string;
  line: number;
  column: number;
}

/** A task that an expression reads. */
export interface TaskReference {
  id: string;
  line: number;
  column: number;
}

/** A place where an expression reads the item that a task with `for_each` works on. */
export interface ItemRead {
  name: "item" | "index";
  line: number;
  column: number;
}

/** Most nodes of an expression's tree. */
const MAX_NODES = 2_000;

/** Deepest nesting of an expression's tree. */
const MAX_DEPTH = 200;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const TYPES = new Set(["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"]);
const MACROS = ["all", "exists", "exists_one", "filter", "has", "map"];
const OPERATORS = new Set(["_[_]", "_?_:_", "_&&_", "_||_", "@not_strictly_false", "__not_strictly_false__"]);
const FIELDS = { run: ["id", "inputs"], task: ["output", "status"] };

/** What reading a parsed expression brings to light. */
export interface Inspection {
  problems: ExpressionProblem[];
  references: TaskReference[];
  itemReads: ItemRead[];
  loops: Set<Loop>;
}

/** Walks the tree once: names, functions, sizes, and which tasks it reads. */
export function inspect(text: string, parsed: ParsedExpr, env: CelEnv): Inspection {
  const inspector = new Inspector(text, parsed, env);
  inspector.visit(parsed.expr, 0, []);
  return inspector.found;
}

/** Line and column, from 1, of an offset in a text. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

class Inspector {
  readonly found: Inspection = { problems: [], references: [], itemReads: [], loops: new Set() };
  #text: string;
  #positions: Record<string, number>;
  #env: CelEnv;
  #nodes = 0;
  #stopped = false;

  constructor(text: string, parsed: ParsedExpr, env: CelEnv) {
    this.#text = text;
    this.#positions = parsed.sourceInfo?.positions ?? {};
    this.#env = env;
  }

  visit(expr: Expr | undefined, depth: number, bound: readonly string[]): void {
    if (expr === undefined || this.#stopped) return;
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      this.#stopped = true;
      this.#problem(expr, `The expression is too complex: more than ${MAX_NODES} parts, or ${MAX_DEPTH} deep.`);
      return;
    }
    for (const [child, names] of this.#children(expr, bound)) this.visit(child, depth + 1, names);
  }

  #children(expr: Expr, bound: readonly string[]): [Expr | undefined, readonly string[]][] {
    const { exprKind: node } = expr;
    switch (node.case) {
      case "identExpr":
        this.#name(expr, node.value.name, bound);
        return [];
      case "constExpr":
        this.#constant(expr, node.value.constantKind);
        return [];
      case "selectExpr":
        return this.#select(expr, node.value, bound) ? [] : [[node.value.operand, bound]];
      case "callExpr":
        if (this.#taskOf(expr, bound) !== undefined) return [];
        this.#call(expr, node.value);
        return [node.value.target, ...node.value.args].map((arg) => [arg, bound]);
      case "listExpr":
        return node.value.elements.map((element) => [element, bound]);
      case "structExpr":
        if (node.value.messageName !== "")
          this.#problem(expr, `Messages such as ${quote(node.value.messageName)} cannot be built here.`);
        return node.value.entries.flatMap((entry) => [
          [entry.keyKind.case === "mapKey" ? entry.keyKind.value : undefined, bound],
          [entry.value, bound],
        ]);
      case "comprehensionExpr": {
        const { iterVar, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = node.value;
        if (iterVar === "tasks" || iterVar === "run")
          this.#problem(expr, `${quote(iterVar)} cannot name a loop's variable.`);
        this.found.loops.add(node.value);
        const inner = [...bound, iterVar, accuVar];
        return [
          [iterRange, bound],
          [accuInit, bound],
          [loopCondition, inner],
          [loopStep, inner],
          [result, inner],
        ];
      }
      default:
        this.#problem(expr, "Something here is no expression.");
        return [];
    }
  }

  // Answers whether the operand was dealt with.
  #select(expr: Expr, select: NodeOf<"selectExpr">, bound: readonly string[]): boolean {
    if (this.#taskOf(expr, bound) !== undefined) return true;
    const { operand, field } = select;
    if (operand === undefined) return false;
    const isTask = this.#taskOf(operand, bound) !== undefined;
    const isRun = operand.exprKind.case === "identExpr" && rooted(operand.exprKind.value.name) === "run";
    const known = isTask ? FIELDS.task : isRun ? FIELDS.run : undefined;
    if (known !== undefined && !known.includes(field)) {
      const of = isTask ? "A task" : "run";
      this.#problem(expr, `${of} has no ${quote(field)} here.`, `It has ${known.join(" and ")}.`);
    }
    return isTask || isRun;
  }

  // The id in `tasks.<id>` or `tasks["<id>"]`, noted once per place.
  #taskOf(expr: Expr, bound: readonly string[]): string | undefined {
    const id = bound.includes("tasks") ? undefined : taskId(expr);
    if (id === undefined) return undefined;
    const at = this.#at(expr);
    const known = this.found.references.some(
      (other) => other.id === id && other.line === at.line && other.column === at.column,
    );
    if (!known) this.found.references.push({ id, ...at });
    return id;
  }

  #name(expr: Expr, written: string, bound: readonly string[]): void {
    const name = rooted(written);
    if (bound.includes(name) || name === "run" || TYPES.has(name)) return;
    if (name === "item" || name === "index") {
      this.found.itemReads.push({ name, ...this.#at(expr) });
      return;
    }
    if (name === "tasks") {
      this.#problem(expr, "tasks is not a value by itself.", 'Write tasks.<id>.output, or tasks["<id>"].output.');
      return;
    }
    const near = closest(name, ["tasks", "run", ...bound.filter((other) => !other.startsWith("@"))]);
    this.#problem(
      expr,
      `There is no variable ${quote(name)}.`,
      near ? `Did you mean "${near}"?` : "There are tasks and run.",
    );
  }

  #call(expr: Expr, call: NodeOf<"callExpr">): void {
    const name = call.function;
    if (OPERATORS.has(name) || this.#env.funcs.find(name) !== undefined) return;
    if (MACROS.includes(name)) {
      this.#problem(expr, `${name} is not used as it should be.`, "Write list.map(x, …), or has(a.b).");
      return;
    }
    const known = [...this.#env.funcs].map((func) => func.name).filter((other) => /^[a-z]/.test(other));
    const near = closest(name, [...new Set([...known, ...MACROS])]);
    this.#problem(expr, `There is no function ${quote(name)}.`, near ? `Did you mean "${near}"?` : undefined);
  }

  #constant(expr: Expr, constant: { case: string | undefined; value?: unknown }): void {
    if (typeof constant.value !== "bigint") return;
    const unsigned = constant.case === "uint64Value";
    const fits = unsigned ? constant.value < 2n ** 64n : constant.value <= INT64_MAX && constant.value >= INT64_MIN;
    if (!fits) this.#problem(expr, "The number does not fit 64 bits.");
  }

  #problem(expr: Expr, message: string, hint?: string): void {
    this.found.problems.push({ message, hint, ...this.#at(expr) });
  }

  #at(expr: Expr): { line: number; column: number } {
    return positionAt(this.#text, this.#positions[String(expr.id)] ?? 0);
  }
}

function rooted(name: string): string {
  return name.startsWith(".") ? name.slice(1) : name;
}

function taskId({ exprKind: node }: Expr): string | undefined {
  if (node.case === "selectExpr") return isTasks(node.value.operand) ? node.value.field : undefined;
  if (node.case !== "callExpr" || node.value.function !== "_[_]" || !isTasks(node.value.args[0])) return undefined;
  const index = node.value.args[1]?.exprKind;
  if (index?.case !== "constExpr" || index.value.constantKind.case !== "stringValue") return undefined;
  return index.value.constantKind.value;
}

function isTasks(expr: Expr | undefined): boolean {
  return expr?.exprKind.case === "identExpr" && rooted(expr.exprKind.value.name) === "tasks";
}
