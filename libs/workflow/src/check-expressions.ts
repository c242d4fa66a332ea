import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { eachText } from "./binding.ts";
import { compileExpression, type TaskReference } from "./expression.ts";
import { type IssueList, quote } from "./issue.ts";
import { parseTemplate } from "./template.ts";
import { ancestry, type Graph } from "./topology.ts";

/** How the tasks hang together. */
export interface Shape {
  graph: Graph;
  /** Vertices in topological order; without those on or behind cycles. */
  order: Uint32Array;
  /** Vertices by component, those that lead on before those they lead to; set where there are cycles. */
  parts?: readonly (readonly number[])[];
}

/** Most characters of all different expressions of a workflow together: it bounds the time that compiling them takes. */
const MAX_TOTAL = 1_000_000;

/** Checks that every expression compiles, and reads only tasks that end before its own task begins. */
export function checkExpressions(workflow: Workflow, shape: Shape, issues: IssueList): void {
  const checker = new Checker(workflow, issues);
  workflow.tasks.forEach((task, number) => {
    checker.check(task, number);
  });
  checker.checkAncestry(shape);
}

interface Read {
  reader: number;
  source: number;
  path: string;
  at: TaskReference;
}

/** Whose expression it is. */
interface Reader {
  number: number;
  /** Whether it may read `item` and `index`. */
  items: boolean;
}

class Checker {
  #workflow: Workflow;
  #issues: IssueList;
  #numbers = new Map<string, number>();
  #reads: Read[] = [];
  #seen = new Set<string>();
  #characters = 0;

  constructor(workflow: Workflow, issues: IssueList) {
    this.#workflow = workflow;
    this.#issues = issues;
    workflow.tasks.forEach(({ id }, number) => {
      if (!this.#numbers.has(id)) this.#numbers.set(id, number);
    });
  }

  check(task: Task, number: number): void {
    const path = `tasks[${number}]`;
    const ofTask = { number, items: false };
    // What is asked for each item may read it.
    const ofItem = { number, items: task.forEach !== undefined };
    if (task.when !== "") this.#expression(task.when, `${path}.when`, ofTask);
    if (task.forEach?.items) this.#expression(task.forEach.items, `${path}.for_each.items`, ofTask);
    if (task.approval) this.#text(task.approval.question, `${path}.approval.question`, ofTask);
    if (task.concurrency) this.#text(task.concurrency.key, `${path}.concurrency.key`, ofItem);
    if (task.inputs === undefined) return;
    eachText(task.inputs, `${path}.inputs`, (text, at) => this.#text(text, at, ofItem));
  }

  #text(text: string, path: string, reader: Reader): void {
    if (!text.includes("${")) return;
    const { template, unclosed } = parseTemplate(text);
    if (template === undefined) {
      this.#invalid(path, { message: "This ${ is never closed.", line: 1, column: unclosed + 1 });
      return;
    }
    for (const part of template) if (typeof part === "object") this.#expression(part.expression, path, reader);
  }

  #expression(text: string, path: string, { number, items }: Reader): void {
    if (this.#issues.full || this.#isOverBudget(text, path)) return;
    const { expression, problems } = compileExpression(text);
    for (const problem of problems ?? []) this.#invalid(path, problem);
    for (const at of expression?.references ?? []) this.#reference(at, number, path);
    for (const { name, ...at } of items ? [] : (expression?.itemReads ?? [])) {
      const hint = "It is known in the inputs and the concurrency key of a task with for_each.";
      this.#invalid(path, { message: `There is no ${name} here.`, hint, ...at });
    }
  }

  #isOverBudget(text: string, path: string): boolean {
    if (this.#seen.has(text) || this.#characters > MAX_TOTAL) return this.#characters > MAX_TOTAL;
    this.#seen.add(text);
    this.#characters += text.length;
    if (this.#characters <= MAX_TOTAL) return false;
    const message = `The workflow's expressions have more than ${MAX_TOTAL} characters together.`;
    this.#issues.add(path, Reason.EXPR_INVALID, message);
    return true;
  }

  #reference(at: TaskReference, reader: number, path: string): void {
    const source = this.#numbers.get(at.id);
    if (source === undefined) {
      const hint = this.#issues.didYouMean(at.id, [...this.#numbers.keys()]);
      this.#issues.add(path, Reason.DAG_INVALID, `The expression reads ${quote(at.id)}: there is no such task.`, {
        ...place(at),
        hint,
      });
    } else {
      this.#reads.push({ reader, source, path, at });
    }
  }

  #invalid(path: string, problem: { message: string; hint?: string; line: number; column: number }): void {
    const where = `(line ${problem.line}, column ${problem.column} of the expression)`;
    const message = `${problem.message.replace(/\.$/, "")} ${where}.`;
    this.#issues.add(path, Reason.EXPR_INVALID, message, { ...place(problem), hint: problem.hint });
  }

  checkAncestry({ graph, order, parts }: Shape): void {
    const direct = (read: Read) => this.#workflow.tasks[read.reader]!.dependsOn.includes(read.at.id);
    const distant = this.#reads.filter((read) => read.reader === read.source || !direct(read));
    if (distant.length === 0) return;
    const layers = parts ?? Array.from(order, (v) => [v]);
    const isAncestor = ancestry(
      graph,
      layers,
      distant.map(({ source, reader }) => [source, reader]),
    );
    distant.forEach((read, i) => {
      if (isAncestor[i] && read.reader !== read.source) return;
      this.#issues.add(read.path, Reason.DAG_INVALID, this.#unordered(read), {
        ...place(read.at),
        hint: read.reader === read.source ? "Remove the reference." : `Add ${quote(read.at.id)} to depends_on.`,
      });
    });
  }

  #unordered({ reader, source, at }: Read): string {
    if (reader === source) return `The expression of ${quote(at.id)} reads the task itself.`;
    const id = this.#workflow.tasks[reader]!.id;
    return `The expression reads ${quote(at.id)}, which need not have ended when ${quote(id)} begins.`;
  }
}

function place({ line, column }: { line: number; column: number }): { line: number; column: number } {
  return { line, column };
}
