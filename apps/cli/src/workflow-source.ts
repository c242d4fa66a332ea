import { readFile } from "node:fs/promises";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Issue, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { type Locate, parseWorkflow, pathSteps } from "@odg/workflow";

/** Files of workflows are small; a larger one is not one. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** A workflow as named on the command line. */
export type WorkflowSource = { case: "workflowId"; value: string } | { case: "workflow"; value: Workflow };

/** Whether an argument means a file rather than the id of a published workflow. */
export function isFile(argument: string): boolean {
  return /[/\\]|\.(json|ya?ml)$/i.test(argument);
}

/** @throws ConnectError with every issue of the file, by line and column. */
export async function readSource(argument: string): Promise<WorkflowSource> {
  if (!isFile(argument)) return { case: "workflowId", value: argument };
  const parsed = parseWorkflow(await readText(argument), argument);
  if (parsed.issues) throw rejectIssues(parsed.issues, argument);
  return { case: "workflow", value: parsed.workflow };
}

/** @throws ConnectError with NOT_FOUND where the file cannot be read. */
export async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw reject(Reason.NOT_FOUND, { message: `the file ${file} cannot be read`, cause });
  }
  if (bytes.length > LARGEST_FILE) {
    throw reject(Reason.MESSAGE_TOO_LARGE, { message: `${file} is larger than 16 MiB: it is no workflow` });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw reject(Reason.BAD_ENCODING, { message: `${file} is not valid UTF-8`, cause });
  }
}

/** One error for all issues of a file. */
export function rejectIssues(issues: readonly Issue[], file: string) {
  const [first] = issues;
  return reject(first?.reason ?? Reason.DAG_INVALID, {
    message: first ? issueText(first, file) : `${file} is not valid`,
    fields: issues.map((issue) => ({ field: issue.path, description: issueText(issue, file) })),
  });
}

/**
 * Issues with their place in the file. Where an expression is at fault its own place is told in words: line and column of an issue
 * count in the expression then.
 */
export function placeIssues(issues: readonly Issue[], locate: Locate): Issue[] {
  return issues.map((issue) => {
    const inside = issue.line > 0 ? ` At ${issue.line}:${issue.column} of the expression.` : "";
    let steps = pathSteps(issue.path);
    while (steps.length > 0 && !locate(steps)) steps = steps.slice(0, -1);
    const { line, column } = locate(steps) ?? { line: 0, column: 0 };
    return { ...issue, line, column, message: `${issue.message}${inside}` };
  });
}

/** `tasks[3] depends on "shema", which does not exist. Did you mean "schema"? (workflow.yaml:27:14)` */
export function issueText({ path, message, hint, line, column }: Issue, file: string): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${path ? `${path}: ` : ""}${message}${hint ? ` ${hint}` : ""} (${place})`;
}
