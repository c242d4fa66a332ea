import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type PublishedWorkflow, PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Issue, type Plan, type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { type ExpertListing, parseWorkflow, plan } from "@odg/workflow";
import type { Clock } from "./clock.ts";
import type { ExpertRegistry } from "./expert/registry.ts";
import type { Store } from "./store/store.ts";

/** The workflows of an engine: checked, compiled, published. */
export class Workflows {
  #store: Store;
  #registry: ExpertRegistry;
  #clock: Clock;

  constructor(options: { store: Store; registry: ExpertRegistry; clock: Clock }) {
    this.#store = options.store;
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

  /** @throws ConnectError with NOT_FOUND. */
  async get(workflowId: string, version = ""): Promise<PublishedWorkflow & { workflow: Workflow }> {
    const found = await this.#store.getWorkflow(workflowId, version || undefined);
    if (!found?.workflow) {
      throw reject(Reason.NOT_FOUND, {
        message: "there is no published workflow of that id and version",
        field: version ? "workflow_version" : "workflow_id",
        hint: "`odg validate FILE` checks a file of your own; a run takes it instead of an id.",
      });
    }
    return { ...found, workflow: found.workflow };
  }

  list(page: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    return this.#store.listWorkflows(page);
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
    return this.#store.publishWorkflow(
      create(PublishedWorkflowSchema, { workflow, version: versionOf(workflow), createTime }),
    );
  }

  #listings(): ExpertListing[] {
    return this.#registry.list().map(({ description: { name, version, actions } }) => ({
      name,
      version,
      actions: actions.map((one) => ({ name: one.name, capability: one.capability })),
    }));
  }
}

/** First 16 hexadecimal digits of the SHA-256 of the workflow's bytes: the same content has the same version. */
export function versionOf(workflow: Workflow): string {
  return createHash("sha256").update(toBinary(WorkflowSchema, workflow)).digest("hex").slice(0, 16);
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
