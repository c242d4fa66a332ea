import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { controlMigrations } from "./control-migrations.ts";
import { runMigrations } from "./run-migrations.ts";

/** Every change of the tables, by name, in order. A migration that was released is never edited. */
export const migrations: Record<string, Migration> = {
  "0001_runs_workflows_experts": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("runs")
        .addColumn("run_id", "uuid", (column) => column.primaryKey())
        .addColumn("workflow_id", "text", (column) => column.notNull())
        .addColumn("workflow_version", "text", (column) => column.notNull())
        .addColumn("status", "smallint", (column) => column.notNull())
        .addColumn("create_time", "timestamptz", (column) => column.notNull())
        .addColumn("end_time", "timestamptz")
        .addColumn("last_seq", "bigint", (column) => column.notNull())
        .addColumn("request_id", "uuid", (column) => column.unique())
        .addColumn("request_hash", "text")
        .addColumn("run", "bytea", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("runs_by_workflow").on("runs").columns(["workflow_id", "run_id desc"]).execute();
      await db.schema.createIndex("runs_by_status").on("runs").columns(["status", "run_id desc"]).execute();
      await db.schema
        .createTable("run_events")
        .addColumn("run_id", "uuid", (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("event", "bytea", (column) => column.notNull())
        .addPrimaryKeyConstraint("run_events_pk", ["run_id", "seq"])
        .execute();
      await db.schema
        .createTable("workflows")
        .addColumn("workflow_id", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("place", "bigint", (column) => column.generatedAlwaysAsIdentity())
        .addColumn("published", "bytea", (column) => column.notNull())
        .addPrimaryKeyConstraint("workflows_pk", ["workflow_id", "version"])
        .execute();
      await db.schema
        .createTable("experts")
        .addColumn("expert_id", "text", (column) => column.primaryKey())
        .addColumn("expert_name", "text", (column) => column.notNull())
        .addColumn("version", "text", (column) => column.notNull())
        .addColumn("capabilities", sql`text[]`, (column) => column.notNull())
        .addColumn("model_backend", "text", (column) => column.notNull())
        .addColumn("max_concurrent_tasks", "integer", (column) => column.notNull())
        .addColumn("average_latency_ms", "double precision", (column) => column.notNull())
        .addColumn("status", "text", (column) => column.notNull())
        .addColumn("placement", "text", (column) => column.notNull())
        .addColumn("package_name", "text", (column) => column.notNull())
        .execute();
    },
  },
  "0002_expert_permissions": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("experts")
        .addColumn("permissions", "text", (column) => column.notNull().defaultTo(""))
        .addColumn("digest", "text", (column) => column.notNull().defaultTo(""))
        .execute();
    },
  },
  "0003_expert_trust": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("experts")
        .addColumn("publisher", "text", (column) => column.notNull().defaultTo(""))
        .addColumn("approval", "text", (column) => column.notNull().defaultTo(""))
        .execute();
    },
  },
  ...runMigrations,
  ...controlMigrations,
};
