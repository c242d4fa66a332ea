import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type PublishedWorkflow, PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Generated, type Kysely, sql } from "kysely";
import type { VersionStore } from "./versions.ts";

/** The tables of {@link SqlVersions}. */
export interface VersionTables {
  workflows: {
    workflow_id: string;
    version: string;
    /** Grows with every publication. */
    place: Generated<bigint>;
    published: Uint8Array;
    deprecated: Generated<boolean>;
  };
}

/** In SQL. */
export class SqlVersions implements VersionStore {
  #db: Kysely<VersionTables>;

  constructor(db: Kysely<VersionTables>) {
    this.#db = db;
  }

  async publish(published: PublishedWorkflow): Promise<PublishedWorkflow> {
    const workflowId = published.workflow?.workflowId ?? "";
    await this.#db
      .insertInto("workflows")
      .values({
        workflow_id: workflowId,
        version: published.version,
        published: toBinary(PublishedWorkflowSchema, published),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await this.get(workflowId, published.version)) ?? published;
  }

  async get(workflowId: string, version: string): Promise<PublishedWorkflow | undefined> {
    const row = await this.#db
      .selectFrom("workflows")
      .select("published")
      .where("workflow_id", "=", workflowId)
      .where("version", "=", version)
      .executeTakeFirst();
    return row && read(row);
  }

  async newest(workflowId: string, among: "all" | "usable"): Promise<PublishedWorkflow | undefined> {
    let query = this.#db
      .selectFrom("workflows")
      .select("published")
      .where("workflow_id", "=", workflowId)
      .orderBy("place", "desc")
      .limit(1);
    if (among === "usable") query = query.where("deprecated", "=", false);
    const row = await query.executeTakeFirst();
    return row && read(row);
  }

  async newestOfEach({ after = "", limit }: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    const rows = await this.#db
      .selectFrom("workflows")
      .distinctOn(sql`workflow_id collate "C"`)
      .select("published")
      .where(sql<string>`workflow_id collate "C"`, ">", after)
      .orderBy(sql`workflow_id collate "C"`)
      .orderBy("place", "desc")
      .limit(limit)
      .execute();
    return rows.map(read);
  }

  async versions(workflowId: string, page: { before?: string; limit: number }): Promise<PublishedWorkflow[]> {
    const { before, limit } = page;
    let query = this.#db
      .selectFrom("workflows")
      .select("published")
      .where("workflow_id", "=", workflowId)
      .orderBy("place", "desc")
      .limit(limit);
    if (before !== undefined) {
      query = query.where("place", "<", ({ selectFrom }) =>
        selectFrom("workflows")
          .select("place")
          .where("workflow_id", "=", workflowId)
          .where("version", "=", before)
          .$asScalar()
          .$notNull(),
      );
    }
    return (await query.execute()).map(read);
  }

  async deprecate(workflowId: string, version: string, deprecation: string): Promise<PublishedWorkflow | undefined> {
    const found = await this.get(workflowId, version);
    if (!found) return undefined;
    // Nothing but the mark ever changes, so what was just read cannot be stale but in the mark itself.
    const marked = { ...found, deprecation };
    await this.#db
      .updateTable("workflows")
      .set({ deprecated: deprecation !== "", published: toBinary(PublishedWorkflowSchema, marked) })
      .where("workflow_id", "=", workflowId)
      .where("version", "=", version)
      .execute();
    return marked;
  }
}

function read({ published }: { published: Uint8Array }): PublishedWorkflow {
  return fromBinary(PublishedWorkflowSchema, published);
}
