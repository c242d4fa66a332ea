import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type DiffWorkflowsResponse,
  DiffWorkflowsResponseSchema,
  type PublishedWorkflow,
  PublishedWorkflowSchema,
  type WorkflowDraft,
  WorkflowDraftSchema,
} from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, type Plan, type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { type ExpertListing, parseWorkflow, plan } from "@odg/workflow";
import { canonicalObject } from "./canonical.ts";
import type { Clock } from "./clock.ts";
import type { ExpertRegistry } from "./expert/registry.ts";
import type { DraftStore } from "./store/drafts.ts";
import type { VersionStore } from "./store/versions.ts";
import { diffWorkflows } from "./workflow-diff.ts";

/** A published workflow whose definition is there. */
export type KnownWorkflow = PublishedWorkflow & { workflow: Workflow };

/** Where workflows are kept. */
export interface WorkflowStores {
  versions: VersionStore;
  drafts: DraftStore;
}

/** Versions that an error names, at most. */
const NAMED_VERSIONS = 10;

/** The workflows of an engine: checked, compiled, published, told apart, and those that are not finished. */
export class Workflows {
  #versions: VersionStore;
  #drafts: DraftStore;
  #registry: ExpertRegistry;
  #clock: Clock;

  constructor(options: { store: WorkflowStores; registry: ExpertRegistry; clock: Clock }) {
    this.#versions = options.store.versions;
    this.#drafts = options.store.drafts;
    this.#registry = options.registry;
    this.#clock = options.clock;
  }

  /** Every issue, also with the experts of this engine. */
  validate(workflow: Workflow): Issue[] {
    return plan(workflow, { experts: this.#listings() }).issues ?? [];
  }

  /** @throws ConnectError that lists every issue. */
  compile(workflow: Workflow): Plan {
    const result = plan(workflow, { experts: this.#listings() });
    if (result.issues) throw rejectIssues(result.issues);
    return result.plan;
  }

  /** @throws ConnectError that lists every issue. */
  async publish(workflow: Workflow): Promise<PublishedWorkflow> {
    this.compile(workflow);
    return this.#keep(workflow);
  }

  /**
   * What a run takes: the version that is named, deprecated or not; else the newest one that is not deprecated.
   *
   * @throws ConnectError: NOT_FOUND, or STATE_INVALID where no version is named and all are deprecated.
   */
  async get(workflowId: string, version = ""): Promise<KnownWorkflow> {
    if (version !== "") return this.read(workflowId, version);
    const found = await this.#versions.newest(workflowId, "usable");
    if (found) return known(found);
    await this.read(workflowId);
    const versions = await this.#versions.versions(workflowId, { limit: NAMED_VERSIONS });
    const named = versions.map((one) => `${one.version} (${one.deprecation})`).join(", ");
    throw reject(Reason.STATE_INVALID, {
      message: `every version of this workflow is deprecated: ${named}`,
      field: "workflow_version",
      hint: "Name one of them to use it all the same, or publish a new one.",
    });
  }

  /** One version as it stands, or the newest of all. @throws ConnectError with NOT_FOUND. */
  async read(workflowId: string, version = ""): Promise<KnownWorkflow> {
    const found = version
      ? await this.#versions.get(workflowId, version)
      : await this.#versions.newest(workflowId, "all");
    if (found) return known(found);
    throw reject(Reason.NOT_FOUND, {
      message: "there is no published workflow of that id and version",
      field: version ? "workflow_version" : "workflow_id",
      hint: "`odg workflow list` shows those that there are. A run takes a file as well.",
    });
  }

  /** The newest version of each, by id. */
  list(page: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    return this.#versions.newestOfEach(page);
  }

  /** The versions of one workflow, newest first. @throws ConnectError with NOT_FOUND. */
  async versions(workflowId: string, page: { before?: string; limit: number }): Promise<PublishedWorkflow[]> {
    const found = await this.#versions.versions(workflowId, page);
    if (found.length === 0) await this.read(workflowId, page.before);
    return found;
  }

  /**
   * What differs between two versions: the newest and the one before it where none are named.
   *
   * @throws ConnectError with NOT_FOUND, also where there is none before.
   */
  async diff(workflowId: string, versions: { from: string; to: string }): Promise<DiffWorkflowsResponse> {
    const to = await this.read(workflowId, versions.to);
    const from = versions.from ? await this.read(workflowId, versions.from) : await this.#before(to);
    return create(DiffWorkflowsResponseSchema, {
      fromVersion: from.version,
      toVersion: to.version,
      changes: diffWorkflows(from.workflow, to.workflow),
    });
  }

  /** Marks a version, or takes the mark away where it is empty. @throws ConnectError with NOT_FOUND. */
  async deprecate(workflowId: string, version: string, deprecation: string): Promise<PublishedWorkflow> {
    return (await this.#versions.deprecate(workflowId, version, deprecation)) ?? this.read(workflowId, version);
  }

  /**
   * Keeps a workflow that need not be sound, in place of the draft with the etag.
   *
   * @throws ConnectError: FIELD_FORMAT where its id is none, ETAG_MISMATCH where another draft is there.
   */
  async saveDraft(workflow: Workflow, etag: string): Promise<WorkflowDraft> {
    if (!WORKFLOW_ID.test(workflow.workflowId)) {
      throw reject(Reason.FIELD_FORMAT, {
        message: "a draft needs an id: a letter, then letters, digits, _ and -, at most 63 characters",
        field: "workflow.workflow_id",
      });
    }
    const updateTime = timestampFromMs(this.#clock.now());
    const draft = create(WorkflowDraftSchema, { workflow, etag: randomUUID(), updateTime });
    if (!(await this.#drafts.put(draft, etag))) throw otherDraft();
    return this.#withIssues(draft);
  }

  /** @throws ConnectError with NOT_FOUND. */
  async draft(workflowId: string): Promise<WorkflowDraft> {
    const draft = await this.#drafts.get(workflowId);
    if (!draft) throw noDraft();
    return this.#withIssues(draft);
  }

  /** @throws ConnectError: NOT_FOUND, or ETAG_MISMATCH where another draft is there. */
  async deleteDraft(workflowId: string, etag: string): Promise<void> {
    if (await this.#drafts.remove(workflowId, etag)) return;
    throw (await this.#drafts.get(workflowId)) ? otherDraft() : noDraft();
  }

  /**
   * Publishes the templates of a folder. They may name experts that are not installed: a run of such a template is refused then.
   *
   * @throws Error where a template is no valid workflow.
   */
  async publishTemplates(folder: string): Promise<void> {
    const names = (await readdir(folder)).filter((name) => /\.(json|ya?ml)$/.test(name)).sort();
    for (const name of names) {
      const parsed = parseWorkflow(await readFile(join(folder, name), "utf8"), name);
      const issues = parsed.issues ?? plan(parsed.workflow).issues;
      if (parsed.issues || issues)
        throw new Error(`the template ${name} is not valid: ${issues?.map(textOf).join("; ")}`);
      await this.#keep(parsed.workflow);
    }
  }

  #keep(workflow: Workflow): Promise<PublishedWorkflow> {
    const createTime = timestampFromMs(this.#clock.now());
    return this.#versions.publish(
      create(PublishedWorkflowSchema, { workflow, version: versionOf(workflow), createTime }),
    );
  }

  async #before({ workflow: { workflowId }, version }: KnownWorkflow): Promise<KnownWorkflow> {
    const [before] = await this.#versions.versions(workflowId, { before: version, limit: 1 });
    if (before) return known(before);
    throw reject(Reason.NOT_FOUND, {
      message: `version ${version} is the first of this workflow: there is none before it`,
      field: "from_version",
    });
  }

  #withIssues(draft: WorkflowDraft): WorkflowDraft {
    return { ...draft, issues: draft.workflow ? this.validate(draft.workflow) : [] };
  }

  #listings(): ExpertListing[] {
    return this.#registry.list().map(({ description: { name, version, actions } }) => ({
      name,
      version,
      actions: actions.map((one) => ({ name: one.name, capability: one.capability })),
    }));
  }
}

/** As the rule of Workflow.workflow_id in the .proto: a draft breaks other rules, but it is kept by its id. */
const WORKFLOW_ID = /^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/;

function known(published: PublishedWorkflow): KnownWorkflow {
  return { ...published, workflow: published.workflow ?? create(WorkflowSchema) };
}

function otherDraft() {
  return reject(Reason.ETAG_MISMATCH, {
    message: "the draft is not the one that was read: somebody else saved or deleted it",
    field: "etag",
  });
}

function noDraft() {
  return reject(Reason.NOT_FOUND, { message: "there is no draft of that workflow", field: "workflow_id" });
}

/**
 * First 16 hexadecimal digits of the SHA-256 of the workflow's bytes, with the keys of its inputs in order: the same content has the same
 * version.
 */
export function versionOf(workflow: Workflow): string {
  const ordered = <T extends { inputs?: JsonObject }>(one: T): T =>
    one.inputs ? { ...one, inputs: canonicalObject(one.inputs) } : one;
  const bytes = toBinary(WorkflowSchema, ordered({ ...workflow, tasks: workflow.tasks.map(ordered) }));
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** One error for all issues: the reason that they share, or that of the graph before that of expressions and experts. */
export function rejectIssues(issues: readonly Issue[]) {
  const order = [Reason.DAG_TOO_LARGE, Reason.DAG_INVALID, Reason.FIELD_FORMAT, Reason.EXPR_INVALID];
  const reason =
    order.find((one) => issues.some((issue) => issue.reason === one)) ?? issues[0]?.reason ?? Reason.DAG_INVALID;
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return reject(reason, {
    message: `${first ? textOf(first) : "the workflow is not valid"}${more}`,
    fields: issues.map((issue) => ({ field: issue.path, description: textOf(issue) })),
    ...(first?.hint ? { hint: first.hint } : {}),
  });
}

function textOf({ path, message, hint }: Issue): string {
  return `${path ? `${path}: ` : ""}${message}${hint ? ` ${hint}` : ""}`;
}
