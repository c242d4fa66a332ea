import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Tables of versions, drafts and schedules; part of `migrations`. */
export const controlMigrations: Record<string, Migration> = {
  "0010_drafts_schedules_deprecation": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("workflows")
        .addColumn("deprecated", "boolean", (column) => column.notNull().defaultTo(false))
        .execute();
      await db.schema
        .createTable("workflow_drafts")
        .addColumn("workflow_id", "text", (column) => column.primaryKey())
        .addColumn("etag", "text", (column) => column.notNull())
        .addColumn("draft", "bytea", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("schedules")
        .addColumn("schedule_id", "text", (column) => column.primaryKey())
        .addColumn("uid", "uuid", (column) => column.notNull())
        .addColumn("revision", "integer", (column) => column.notNull())
        .addColumn("schedule", "bytea", (column) => column.notNull())
        .addColumn("wake_time", "timestamptz")
        .addColumn("firing_time", "timestamptz")
        .addColumn("queued_time", "timestamptz")
        .execute();
      await db.schema
        .createIndex("schedules_by_wake_time")
        .on("schedules")
        .column("wake_time")
        .where(sql.ref("wake_time"), "is not", null)
        .execute();
    },
  },
};
