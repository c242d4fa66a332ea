import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { RunSchema, type TaskCount, TaskStateSchema, type TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { fixedPart, labelsOf, varyingPart, withoutOutput } from "./run-row.ts";

/** The tables as they were then, as far as rows are divided. */
interface TablesThen {
  runs: { run_id: string; run: Uint8Array; varying: Uint8Array; labels: string[]; user_name: string };
  run_tasks: { run_id: string; task: number; status: number; state: Uint8Array };
}

/** Runs that are read at once while their rows are divided. */
const PAGE = 500;

/** Leases, snapshots, blobs, and what lists read; part of `migrations`. */
export const runMigrations: Record<string, Migration> = {
  "0004_leases_and_projections": {
    async up(db: Kysely<unknown>) {
      await sql`create sequence fences`.execute(db);
      await db.schema
        .alterTable("runs")
        .addColumn("varying", "bytea", (column) => column.notNull().defaultTo(sql`''::bytea`))
        .addColumn("user_name", "text", (column) => column.notNull().defaultTo(""))
        .addColumn("labels", sql`text[]`, (column) => column.notNull().defaultTo(sql`'{}'::text[]`))
        .addColumn("owner", "text")
        .addColumn("owner_fence", "bigint", (column) => column.notNull().defaultTo(0))
        .addColumn("fence", "bigint", (column) => column.notNull().defaultTo(0))
        .execute();
      // Rows that change often leave room on their pages, so that a new version stands beside the old one and no index is touched.
      await sql`alter table runs set (fillfactor = 60)`.execute(db);
      await db.schema
        .createTable("run_tasks")
        .addColumn("run_id", "uuid", (column) => column.notNull())
        .addColumn("task", "integer", (column) => column.notNull())
        .addColumn("status", "smallint", (column) => column.notNull())
        .addColumn("state", "bytea", (column) => column.notNull())
        .addPrimaryKeyConstraint("run_tasks_pk", ["run_id", "task"])
        .modifyEnd(sql`with (fillfactor = 60)`)
        .execute();
      await db.schema
        .createTable("run_snapshots")
        .addColumn("run_id", "uuid", (column) => column.primaryKey())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("snapshot", "bytea", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("blobs")
        .addColumn("digest", "bytea", (column) => column.primaryKey())
        .addColumn("bytes", "bytea", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("approvals")
        .addColumn("run_id", "uuid", (column) => column.notNull())
        .addColumn("task", "integer", (column) => column.notNull())
        .addColumn("status", "smallint", (column) => column.notNull())
        .addColumn("request_time", "timestamptz", (column) => column.notNull())
        .addColumn("approval", "bytea", (column) => column.notNull())
        .addPrimaryKeyConstraint("approvals_pk", ["run_id", "task"])
        .execute();
      await db.schema
        .createTable("engines")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("fence", "bigint", (column) => column.notNull())
        .addColumn("lease_until", "timestamptz", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("run_requests")
        .addColumn("request_id", "bigint", (column) => column.primaryKey().generatedAlwaysAsIdentity())
        .addColumn("run_id", "uuid", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("body", "bytea", (column) => column.notNull())
        .addColumn("answer", "bytea")
        .addColumn("create_time", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
        .execute();
      for (const statement of INDEXES) await sql.raw(statement).execute(db);
      await divideRuns(db as Kysely<TablesThen>);
    },
  },
  "0011_run_labels": {
    async up(db: Kysely<unknown>) {
      // Ordered by run within a label: an index over arrays finds a label, but neither the newest of its runs nor how many there are.
      await sql`create table run_labels (label text collate "C", run_id uuid, primary key (label, run_id))`.execute(db);
      await sql`insert into run_labels select distinct unnest(labels), run_id from runs`.execute(db);
      await sql`drop index runs_by_label`.execute(db);
      await sql`drop index runs_by_create_time`.execute(db);
      await sql`alter table runs drop column labels`.execute(db);
      await sql`create index runs_by_create_time on runs (create_time, run_id)`.execute(db);
    },
  },
  "0012_first_tasks": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("runs")
        .addColumn("first_tasks", "bytea", (column) => column.notNull().defaultTo(sql`''::bytea`))
        .execute();
    },
  },
};

// The statuses are RUNNING and PAUSED, and PENDING of a consent.
const INDEXES = [
  "create index runs_open on runs (run_id) where status in (1, 5)",
  "create index runs_by_user on runs (user_name, run_id desc)",
  "create index runs_by_create_time on runs (create_time)",
  "create index runs_by_label on runs using gin (labels)",
  "create index approvals_by_status on approvals (status, request_time, run_id, task)",
];

/** Until here a row held the whole run. */
async function divideRuns(db: Kysely<TablesThen>): Promise<void> {
  for (let after: string | undefined; ; ) {
    let query = db.selectFrom("runs").select(["run_id", "run"]).orderBy("run_id").limit(PAGE);
    if (after) query = query.where("run_id", ">", after);
    const rows = await query.execute();
    for (const { run_id, run } of rows) await divideRun(db, run_id, run);
    after = rows.at(-1)?.run_id;
    if (after === undefined) return;
  }
}

async function divideRun(db: Kysely<TablesThen>, runId: string, bytes: Uint8Array): Promise<void> {
  const run = fromBinary(RunSchema, bytes);
  run.taskCounts = countsOf(run.tasks.map(({ status }) => status));
  const row = { run: fixedPart(run), varying: varyingPart(run), labels: labelsOf(run.labels), user_name: run.user };
  await db.updateTable("runs").set(row).where("run_id", "=", runId).execute();
  const tasks = run.tasks.map((state, task) => ({
    run_id: runId,
    task,
    status: state.status,
    state: toBinary(TaskStateSchema, withoutOutput(state)),
  }));
  for (let start = 0; start < tasks.length; start += PAGE) {
    await db
      .insertInto("run_tasks")
      .values(tasks.slice(start, start + PAGE))
      .execute();
  }
}

function countsOf(statuses: readonly TaskStatus[]): TaskCount[] {
  const counts = new Map<TaskStatus, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => ({ $typeName: "odg.run.v1.TaskCount", status, count }));
}
