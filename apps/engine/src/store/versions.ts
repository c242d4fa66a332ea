import { clone } from "@bufbuild/protobuf";
import { type PublishedWorkflow, PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";

/** The published versions of workflows. A version's definition never changes; only its mark of deprecation does. */
export interface VersionStore {
  /** Keeps a version; the same one again changes nothing. Answers what is kept. */
  publish(published: PublishedWorkflow): Promise<PublishedWorkflow>;
  /** One version. */
  get(workflowId: string, version: string): Promise<PublishedWorkflow | undefined>;
  /** The version that was published last: of all, or of those that are not deprecated. */
  newest(workflowId: string, among: "all" | "usable"): Promise<PublishedWorkflow | undefined>;
  /** The newest version of each workflow, by id. */
  newestOfEach(page: { after?: string; limit: number }): Promise<PublishedWorkflow[]>;
  /** Versions of one workflow, newest first, those that were published before `before`. */
  versions(workflowId: string, page: { before?: string; limit: number }): Promise<PublishedWorkflow[]>;
  /** Sets the mark, or takes it away where it is empty. Answers undefined where there is no such version. */
  deprecate(workflowId: string, version: string, deprecation: string): Promise<PublishedWorkflow | undefined>;
}

/** In this process. */
export class MemoryVersions implements VersionStore {
  /** By workflow, oldest first. */
  #workflows = new Map<string, PublishedWorkflow[]>();

  async publish(published: PublishedWorkflow): Promise<PublishedWorkflow> {
    const id = published.workflow?.workflowId ?? "";
    const same = await this.get(id, published.version);
    if (same) return same;
    this.#workflows.set(id, [...this.#of(id), copy(published)]);
    return published;
  }

  async get(workflowId: string, version: string): Promise<PublishedWorkflow | undefined> {
    const found = this.#of(workflowId).find((one) => one.version === version);
    return found && copy(found);
  }

  async newest(workflowId: string, among: "all" | "usable"): Promise<PublishedWorkflow | undefined> {
    const found = this.#of(workflowId).findLast(({ deprecation }) => among === "all" || deprecation === "");
    return found && copy(found);
  }

  async newestOfEach({ after = "", limit }: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    return [...this.#workflows]
      .filter(([id]) => id > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .flatMap(([, versions]) => versions.slice(-1).map(copy));
  }

  async versions(workflowId: string, page: { before?: string; limit: number }): Promise<PublishedWorkflow[]> {
    const newestFirst = this.#of(workflowId).toReversed();
    const start = page.before === undefined ? 0 : newestFirst.findIndex(({ version }) => version === page.before) + 1;
    if (page.before !== undefined && start === 0) return [];
    return newestFirst.slice(start, start + page.limit).map(copy);
  }

  async deprecate(workflowId: string, version: string, deprecation: string): Promise<PublishedWorkflow | undefined> {
    const found = this.#of(workflowId).find((one) => one.version === version);
    if (found) found.deprecation = deprecation;
    return found && copy(found);
  }

  #of(workflowId: string): PublishedWorkflow[] {
    return this.#workflows.get(workflowId) ?? [];
  }
}

function copy(published: PublishedWorkflow): PublishedWorkflow {
  return clone(PublishedWorkflowSchema, published);
}
