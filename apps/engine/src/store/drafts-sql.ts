import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type WorkflowDraft, WorkflowDraftSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import type { Kysely } from "kysely";
import type { DraftStore } from "./drafts.ts";

/** The tables of {@link SqlDrafts}. */
export interface DraftTables {
  workflow_drafts: { workflow_id: string; etag: string; draft: Uint8Array };
}

/** In SQL: each change is one statement, which the database decides. */
export class SqlDrafts implements DraftStore {
  #db: Kysely<DraftTables>;

  constructor(db: Kysely<DraftTables>) {
    this.#db = db;
  }

  async get(workflowId: string): Promise<WorkflowDraft | undefined> {
    const row = await this.#db
      .selectFrom("workflow_drafts")
      .select("draft")
      .where("workflow_id", "=", workflowId)
      .executeTakeFirst();
    return row && fromBinary(WorkflowDraftSchema, row.draft);
  }

  async put(draft: WorkflowDraft, replaces: string): Promise<boolean> {
    const workflow_id = draft.workflow?.workflowId ?? "";
    const row = { etag: draft.etag, draft: toBinary(WorkflowDraftSchema, draft) };
    if (replaces === "") {
      const inserted = await this.#db
        .insertInto("workflow_drafts")
        .values({ workflow_id, ...row })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    }
    const updated = await this.#db
      .updateTable("workflow_drafts")
      .set(row)
      .where("workflow_id", "=", workflow_id)
      .where("etag", "=", replaces)
      .executeTakeFirst();
    return updated.numUpdatedRows === 1n;
  }

  async remove(workflowId: string, etag: string): Promise<boolean> {
    let query = this.#db.deleteFrom("workflow_drafts").where("workflow_id", "=", workflowId);
    if (etag !== "") query = query.where("etag", "=", etag);
    return (await query.executeTakeFirst()).numDeletedRows === 1n;
  }
}
