import { type DescMessage, fromJson, type MessageShape } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { IssueList } from "./issue.ts";
import { jsonIssues } from "./json-issues.ts";
import { readJson } from "./json-text.ts";
import type { Locate, SourceText } from "./source-text.ts";
import { readYaml } from "./yaml-text.ts";

/** Longest text that is read, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;

/** A message and where its parts stand, or everything that is wrong with the text. */
export type ParseResult<Desc extends DescMessage> =
  | { message: MessageShape<Desc>; locate: Locate; issues?: undefined }
  | { message?: undefined; locate?: undefined; issues: Issue[] };

/** A workflow and where its parts stand, or everything that is wrong with the text. */
export type ParseWorkflowResult =
  | { workflow: Workflow; locate: Locate; issues?: undefined }
  | { workflow?: undefined; locate?: undefined; issues: Issue[] };

/**
 * Reads a workflow from JSON or YAML. Fields may be written as in the .proto (`depends_on`) or as in protobuf JSON (`dependsOn`).
 * It is well-typed then, not yet sound: that is what `plan` says.
 *
 * @param source Name of the file, if any: its extension tells JSON from YAML; else a text that begins with `{` is JSON.
 */
export function parseWorkflow(text: string, source = ""): ParseWorkflowResult {
  const result = parseMessage(WorkflowSchema, text, source);
  return result.issues === undefined ? { workflow: result.message, locate: result.locate } : { issues: result.issues };
}

/** Reads any message from JSON or YAML, with all issues at once. See {@link parseWorkflow}. */
export function parseMessage<Desc extends DescMessage>(desc: Desc, text: string, source = ""): ParseResult<Desc> {
  const read = readText(text, source);
  if ("issues" in read) return read;
  const issues = jsonIssues(desc, read.json, read.locate);
  if (issues.length > 0) return { issues };
  return { message: fromJson(desc, read.json), locate: read.locate };
}

function readText(text: string, source: string): SourceText | { issues: Issue[] } {
  const issues = new IssueList();
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (text.length > MAX_TEXT_LENGTH) {
    issues.add("", Reason.MESSAGE_TOO_LARGE, `The text is longer than ${MAX_TEXT_LENGTH} characters.`);
  } else if (plain.trim() === "") {
    issues.add("", Reason.MALFORMED_JSON, "The text is empty.", { line: 1, column: 1 });
  } else {
    const read = isJson(plain, source) ? readJson(plain, issues) : readYaml(plain, issues);
    if (read !== undefined && issues.issues.length === 0) return read;
  }
  return { issues: issues.issues };
}

function isJson(text: string, source: string): boolean {
  if (/\.ya?ml$/i.test(source)) return false;
  return /\.json$/i.test(source) || /^[{[]/.test(text.trimStart());
}
