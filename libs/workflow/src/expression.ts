import {
  type CelInput,
  type CelList,
  type CelResult,
  CelScalar,
  type CelValue,
  celEnv,
  celError,
  celFunc,
  celList,
  isCelError,
  listType,
  parse,
  plan,
} from "@bufbuild/cel";
import { celOf } from "./cel-value.ts";
import {
  type ExpressionProblem,
  type ItemRead,
  inspect,
  type Loop,
  type ParsedExpr,
  positionAt,
  type TaskReference,
} from "./expression-check.ts";
import { quote } from "./issue.ts";
import type { Scope } from "./scope.ts";

export type { ExpressionProblem, ItemRead, TaskReference } from "./expression-check.ts";

/** Longest expression, in UTF-16 units. */
export const MAX_EXPRESSION_LENGTH = 10_000;

/** Deepest nesting of brackets in an expression. */
const MAX_BRACKETS = 50;

/** Most rounds of the macros (`map`, `filter`, `exists` …) in one evaluation, all loops together. */
export const MAX_ROUNDS = 10_000;

/** Longest text or list that `+` may make, in UTF-16 units, bytes or elements. */
const MAX_SUM = 1_000_000;

/** Expressions kept compiled; a run evaluates the same few over and over. */
const MEMO_SIZE = 500;

/** What an evaluation came to. */
export type EvaluationResult =
  | { value: CelValue; problem?: undefined }
  | { value?: undefined; problem: ExpressionProblem };

/** A compiled expression. */
export interface Expression {
  readonly text: string;
  /** The tasks it reads, each place by itself. */
  readonly references: readonly TaskReference[];
  /** The places where it reads `item` or `index`. */
  readonly itemReads: readonly ItemRead[];
  /** Evaluates it. Never throws; the problem holds no value of the data. */
  evaluate(scope: Scope): EvaluationResult;
}

/** A compiled expression, or all that is wrong with it. */
export type CompileResult =
  | { expression: Expression; problems?: undefined }
  | { expression?: undefined; problems: ExpressionProblem[] };

// What is left to the evaluation under way. Evaluation is synchronous and never nests, so one record serves.
const budget = { rounds: 0, spent: false };

class OverBudget extends Error {}

function spend(within: boolean): void {
  if (within) return;
  budget.spent = true;
  throw new OverBudget();
}

// Where the elements of lists made by `+` are, so that a growing list is copied as an array and not walked.
const arrays = new WeakMap<CelList, CelValue[]>();
const elementsOf = (list: CelList): CelValue[] => arrays.get(list) ?? [...list];

const { BYTES, DYN, STRING } = CelScalar;
const LIST = listType(DYN);
const ROUND = "@round";

const env = celEnv({
  funcs: [
    celFunc(ROUND, [DYN], DYN, (goOn) => {
      spend(--budget.rounds >= 0);
      return goOn;
    }),
    celFunc("_+_", [STRING, STRING], STRING, (a, b) => {
      spend(a.length + b.length <= MAX_SUM);
      return a + b;
    }),
    celFunc("_+_", [BYTES, BYTES], BYTES, (a, b) => {
      spend(a.length + b.length <= MAX_SUM);
      return Uint8Array.from([...a, ...b]);
    }),
    celFunc("_+_", [LIST, LIST], LIST, (a, b) => {
      spend(a.size + b.size <= MAX_SUM);
      const all = elementsOf(a).concat(elementsOf(b));
      const sum = celList(all);
      arrays.set(sum, all);
      return sum;
    }),
  ],
});

const memo = new Map<string, CompileResult>();

/**
 * Compiles a CEL expression over `tasks.<id>.output`, `tasks.<id>.status`, `run.id`, `run.inputs`, and in a task with `for_each` `item`
 * and `index` (an integer, from 0). Numbers of the data are doubles, as CEL has it for JSON: they compare with integers, but in sums
 * write `2.0`.
 */
export function compileExpression(text: string): CompileResult {
  const known = memo.get(text);
  if (known !== undefined) return known;
  const result = compile(text);
  if (memo.size >= MEMO_SIZE) memo.delete(memo.keys().next().value!);
  memo.set(text, result);
  return result;
}

function compile(text: string): CompileResult {
  const tooLarge = checkSize(text);
  if (tooLarge !== undefined) return { problems: [tooLarge] };
  const { parsed, problem } = parseText(text);
  if (problem !== undefined) return { problems: [problem] };
  const { problems, references, itemReads, loops } = inspect(text, parsed, env);
  if (problems.length > 0) return { problems };
  for (const loop of loops) countRounds(loop);
  const run = plan(env, parsed);
  const ids = [...new Set(references.map(({ id }) => id))];
  const reads = { ids, item: itemReads.length > 0 };
  const evaluate = (scope: Scope) => conclude(evaluated(run, scope, reads), text, parsed);
  return { expression: { text, references, itemReads, evaluate } };
}

function checkSize(text: string): ExpressionProblem | undefined {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    return { message: `The expression is longer than ${MAX_EXPRESSION_LENGTH} characters.`, line: 1, column: 1 };
  }
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if ("([{".includes(text[at]!)) depth++;
    else if (")]}".includes(text[at]!)) depth--;
    if (depth > MAX_BRACKETS)
      return { message: `Brackets are nested more than ${MAX_BRACKETS} deep.`, ...positionAt(text, at) };
  }
  return undefined;
}

type ParseResult = { parsed: ParsedExpr; problem?: undefined } | { parsed?: undefined; problem: ExpressionProblem };

function parseText(text: string): ParseResult {
  if (text.trim() === "") return { problem: { message: "The expression is empty.", line: 1, column: 1 } };
  try {
    return { parsed: parse(text) };
  } catch (error) {
    const tooComplex = error instanceof RangeError;
    return {
      problem: tooComplex
        ? { message: "The expression is too complex.", line: 1, column: 1 }
        : syntaxProblem(error, text),
    };
  }
}

// The parser's own error class is not exported; these are its fields.
function syntaxProblem(error: unknown, text: string): ExpressionProblem {
  const { location, found } = error as { location?: { start: { offset: number } }; found?: string | null };
  if (location === undefined) return { message: "The expression cannot be read.", line: 1, column: 1 };
  const at = positionAt(text, location.start.offset);
  return { message: found ? `${quote(found)} is not expected here.` : "The expression ends too early.", ...at };
}

// Every loop asks for leave before each round. Wrapping the condition keeps what the macros make of errors as it is.
function countRounds(loop: Loop): void {
  const { loopCondition } = loop;
  if (loopCondition === undefined) return;
  loop.loopCondition = {
    $typeName: "cel.expr.Expr",
    id: loopCondition.id,
    exprKind: {
      case: "callExpr",
      value: { $typeName: "cel.expr.Expr.Call", function: ROUND, args: [loopCondition] },
    },
  };
}

/** What an expression reads. */
interface Reads {
  ids: readonly string[];
  item: boolean;
}

function evaluated(run: (given: Record<string, CelInput>) => CelResult, scope: Scope, reads: Reads): CelResult {
  budget.rounds = MAX_ROUNDS;
  budget.spent = false;
  try {
    return run(bindings(scope, reads));
  } catch (error) {
    // A scope that reads lazily fails where an output has no JSON form, such as NaN.
    return celError(error);
  }
}

function bindings({ run, tasks, item, index }: Scope, { ids, item: readsItem }: Reads): Record<string, CelInput> {
  const read = ids.map((id): [string, CelInput] => {
    const task = tasks.get(id);
    return [
      id,
      new Map<string, CelInput>([
        ["output", celOf(task?.output ?? null)],
        ["status", task?.status ?? ""],
      ]),
    ];
  });
  return {
    tasks: new Map(read),
    run: new Map<string, CelInput>([
      ["id", run.id],
      ["inputs", celOf(run.inputs)],
    ]),
    ...(readsItem ? { item: celOf(item ?? null), index: index === undefined ? null : BigInt(index) } : {}),
  };
}

function conclude(result: CelResult, text: string, parsed: ParsedExpr): EvaluationResult {
  if (budget.spent) {
    const message = `The expression goes over its budget: ${MAX_ROUNDS} rounds of its loops, ${MAX_SUM} characters or elements.`;
    return { problem: { message, line: 1, column: 1 } };
  }
  if (!isCelError(result)) return { value: result };
  const offset = parsed.sourceInfo?.positions[String(result.exprId)] ?? 0;
  return { problem: { ...explain(result.message, text), ...positionAt(text, offset) } };
}

// The library's messages may quote values of the data; only what the author of the expression wrote may be repeated.
function explain(message: string, text: string): { message: string; hint?: string } {
  if (message.startsWith("found no matching overload")) {
    const mixed = /\((double, int|int, double)\)/.test(message);
    const hint = mixed ? "Numbers of inputs and outputs are doubles: write 2.0 instead of 2." : undefined;
    return { message: `${message.replace("found no", "No")}.`, hint };
  }
  const field = /^(?:field not found|no such (?:key|field)):? (.*)$/.exec(message)?.[1];
  if (field !== undefined) {
    const hint = "Ask with has(…) before you read what may be absent.";
    return { message: text.includes(field) ? `There is no field ${quote(field)}.` : "There is no such field.", hint };
  }
  if (message.includes("out of bounds")) return { message: "The index is out of bounds." };
  if (/^cannot convert|^unable to convert|^failed to (parse|decode)/i.test(message)) {
    return { message: "The value cannot be converted." };
  }
  if (/(divide|division|modulus|modulo).*zero/i.test(message)) return { message: "Division by zero." };
  return { message: "The expression cannot be evaluated on these values." };
}
