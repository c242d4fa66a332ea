import { clone } from "@bufbuild/protobuf";
import { type WorkflowDraft, WorkflowDraftSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";

/** Workflows that are not finished: one for each id. */
export interface DraftStore {
  /** The draft of a workflow, without its issues. */
  get(workflowId: string): Promise<WorkflowDraft | undefined>;
  /** Keeps a draft in place of the one with the etag `replaces`, or of none where that is empty; false where another one is there. */
  put(draft: WorkflowDraft, replaces: string): Promise<boolean>;
  /** Throws a draft away: that with this etag, or any where it is empty; false where there is none. */
  remove(workflowId: string, etag: string): Promise<boolean>;
}

/** In this process. */
export class MemoryDrafts implements DraftStore {
  #drafts = new Map<string, WorkflowDraft>();

  async get(workflowId: string): Promise<WorkflowDraft | undefined> {
    const found = this.#drafts.get(workflowId);
    return found && clone(WorkflowDraftSchema, found);
  }

  async put(draft: WorkflowDraft, replaces: string): Promise<boolean> {
    const workflowId = draft.workflow?.workflowId ?? "";
    if ((this.#drafts.get(workflowId)?.etag ?? "") !== replaces) return false;
    this.#drafts.set(workflowId, clone(WorkflowDraftSchema, draft));
    return true;
  }

  async remove(workflowId: string, etag: string): Promise<boolean> {
    if (etag !== "" && this.#drafts.get(workflowId)?.etag !== etag) return false;
    return this.#drafts.delete(workflowId);
  }
}
