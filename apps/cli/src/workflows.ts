import { type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  DiffWorkflowsResponseSchema,
  ListWorkflowsResponseSchema,
  ListWorkflowVersionsResponseSchema,
  type PublishedWorkflow,
  PublishedWorkflowSchema,
  type WorkflowChange,
  type WorkflowDraft,
  WorkflowDraftSchema,
} from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { type EngineFlags, withConnection } from "./connect.ts";
import { printData, printJson, say, table } from "./output.ts";
import { pageSizeOf, when } from "./runs.ts";
import { UsageError } from "./usage-error.ts";
import { issueText, readSource } from "./workflow-source.ts";

/** Flags of verbs that answer a page. */
export interface PageFlags extends EngineFlags {
  limit: string;
  pageToken?: string;
}

/** Publishes the workflows of files. Answers the exit code. */
export async function publish(files: string[], flags: EngineFlags): Promise<number> {
  const workflows = await Promise.all(files.map(readFile));
  return withConnection(flags, async ({ client }) => {
    const published: PublishedWorkflow[] = [];
    for (const workflow of workflows) {
      const { published: one } = await client.workflows.publishWorkflow({ workflow });
      if (one) published.push(one);
    }
    if (flags.json) printJson(published.map((one) => toJson(PublishedWorkflowSchema, one)));
    else printData(table(published.map((one) => [one.workflow?.workflowId ?? "", one.version])));
  });
}

/** Lists the newest version of every workflow. Answers the exit code. */
export async function list(flags: PageFlags): Promise<number> {
  const page = { pageSize: pageSizeOf(flags.limit), pageToken: flags.pageToken ?? "" };
  return withConnection(flags, async ({ client }) => {
    const response = await client.workflows.listWorkflows(page);
    if (flags.json) return printJson(toJson(ListWorkflowsResponseSchema, response));
    const rows = response.workflows.map((one) => [
      one.workflow?.workflowId ?? "",
      ...versionCells(one),
      one.workflow?.description ?? "",
    ]);
    printData(table([["WORKFLOW", "VERSION", "PUBLISHED", "TASKS", "NOTE", "WHAT"], ...rows]));
    if (response.nextPageToken) printData(`more: odg workflow list --page-token ${response.nextPageToken}`);
  });
}

/** Lists the versions of one workflow, newest first. Answers the exit code. */
export async function versions(workflowId: string, flags: PageFlags): Promise<number> {
  const page = { pageSize: pageSizeOf(flags.limit), pageToken: flags.pageToken ?? "" };
  return withConnection(flags, async ({ client }) => {
    const response = await client.workflows.listWorkflowVersions({ workflowId, ...page });
    if (flags.json) return printJson(toJson(ListWorkflowVersionsResponseSchema, response));
    printData(table([["VERSION", "PUBLISHED", "TASKS", "NOTE"], ...response.versions.map(versionCells)]));
    if (response.nextPageToken) {
      printData(`more: odg workflow versions ${workflowId} --page-token ${response.nextPageToken}`);
    }
  });
}

/** Prints a definition, as a file would hold it. Answers the exit code. */
export async function show(workflowId: string, version: string, flags: EngineFlags): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    const { published } = await client.workflows.getWorkflow({ workflowId, version });
    if (!published) return;
    if (flags.json) return printJson(toJson(PublishedWorkflowSchema, published));
    if (published.deprecation && !flags.quiet) say(`note: version ${published.version}: ${noteOf(published)}`);
    printJson(asFile(published.workflow));
  });
}

/** Shows what differs between two versions. Answers the exit code. */
export async function diff(
  workflowId: string,
  pair: { from: string; to: string },
  flags: EngineFlags,
): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    const range = { fromVersion: pair.from, toVersion: pair.to };
    const response = await client.workflows.diffWorkflows({ workflowId, ...range });
    if (flags.json) return printJson(toJson(DiffWorkflowsResponseSchema, response));
    printData(`${response.fromVersion} → ${response.toVersion}`);
    for (const change of response.changes) printData(changeText(change));
    if (response.changes.length === 0) printData("no difference");
  });
}

/** Marks a version, or takes the mark away. Answers the exit code. */
export async function deprecate(
  workflowId: string,
  version: string,
  flags: EngineFlags & { reason?: string; undo?: boolean },
): Promise<number> {
  if ((flags.reason === undefined) !== (flags.undo === true)) {
    throw new UsageError("say why (--reason TEXT), or take the mark away (--undo)");
  }
  return withConnection(flags, async ({ client }) => {
    const deprecation = flags.reason ?? "";
    const { published } = await client.workflows.deprecateWorkflow({ workflowId, version, deprecation });
    if (!published) return;
    if (flags.json) printJson(toJson(PublishedWorkflowSchema, published));
    else printData(`${workflowId} ${published.version}: ${noteOf(published) || "not deprecated"}`);
  });
}

/** Keeps the workflow of a file as a draft, sound or not. Answers the exit code. */
export async function draftSave(file: string, flags: EngineFlags & { etag?: string }): Promise<number> {
  const workflow = await readFile(file);
  return withConnection(flags, async ({ client }) => {
    const { draft } = await client.workflows.saveDraft({ workflow, etag: flags.etag ?? "" });
    if (draft) printDraft(draft, flags, () => printData(`${workflow.workflowId}: saved, etag ${draft.etag}`));
  });
}

/** Prints a draft, as a file would hold it. Answers the exit code. */
export async function draftShow(workflowId: string, flags: EngineFlags): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    const { draft } = await client.workflows.getDraft({ workflowId });
    if (!draft) return;
    printDraft(draft, flags, () => {
      if (!flags.quiet) say(`saved ${when(draft.updateTime)}, etag ${draft.etag}`);
      printJson(asFile(draft.workflow));
    });
  });
}

/** Throws a draft away. Answers the exit code. */
export async function draftDelete(workflowId: string, flags: EngineFlags & { etag?: string }): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    await client.workflows.deleteDraft({ workflowId, etag: flags.etag ?? "" });
    if (flags.json) printJson({});
    else printData(`${workflowId}: its draft is gone`);
  });
}

async function readFile(file: string): Promise<Workflow> {
  const source = await readSource(file);
  if (source.case === "workflow") return source.value;
  throw new UsageError(`${file} is no file of a workflow: it ends in .json, .yaml or .yml, or has a slash`);
}

function versionCells(published: PublishedWorkflow): string[] {
  const tasks = String(published.workflow?.tasks.length ?? 0);
  return [published.version, when(published.createTime), tasks, noteOf(published)];
}

function noteOf({ deprecation }: PublishedWorkflow): string {
  return deprecation ? `deprecated: ${deprecation}` : "";
}

function asFile(workflow: Workflow | undefined): JsonValue {
  return workflow ? toJson(WorkflowSchema, workflow, { useProtoFieldName: true }) : {};
}

function printDraft(draft: WorkflowDraft, flags: EngineFlags, forPeople: () => void): void {
  if (flags.json) {
    printJson(toJson(WorkflowDraftSchema, draft));
    return;
  }
  forPeople();
  for (const issue of draft.issues) say(`  ${issueText(issue, "the draft")}`);
}

function changeText({ path, before, after }: WorkflowChange): string {
  if (before === "") return `+ ${path}: ${after}`;
  return after === "" ? `- ${path}: ${before}` : `~ ${path}: ${before} → ${after}`;
}
