import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { EventSchema, RunSchema, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { expect, test } from "vitest";
import { migrations } from "./migrations.ts";
import { openPostgres } from "./postgres.ts";
import { event, postgresUrl, run, temporaryDatabase } from "./testing/fixtures.ts";

test.skipIf(!postgresUrl)("what an engine of the first release kept is there after all migrations", async () => {
  const { url, query, drop } = await temporaryDatabase();
  try {
    await migrateTo(url, "0002_expert_permissions");
    const finished = run({
      status: RunStatus.SUCCEEDED,
      lastSeq: 3n,
      labels: { team: "data" },
      endTime: timestampFromMs(1_700_000_009_000),
      tasks: [
        { taskId: "a", status: TaskStatus.SUCCEEDED, summary: "done" },
        { taskId: "b", status: TaskStatus.SUCCEEDED },
        { taskId: "c", status: TaskStatus.SKIPPED },
      ],
    });
    const left = run({ lastSeq: 1n, tasks: [{ taskId: "a", status: TaskStatus.RUNNING }] });
    for (const one of [finished, left]) {
      await query(
        `insert into runs (run_id, workflow_id, workflow_version, status, create_time, last_seq, run)
         values ($1, $2, 'v', $3, now(), $4, $5)`,
        [one.runId, one.workflowId, one.status, one.lastSeq, toBinary(RunSchema, one)],
      );
      const bytes = toBinary(EventSchema, event(one.runId, 1));
      await query("insert into run_events values ($1, 1, 'taskSkipped', $2)", [one.runId, bytes]);
    }
    const published = create(PublishedWorkflowSchema, { version: "v", workflow: { workflowId: "w" } });
    await query("insert into workflows (workflow_id, version, published) values ('w', 'v', $1)", [
      toBinary(PublishedWorkflowSchema, published),
    ]);

    const store = await openPostgres(url);
    const kept = { ...finished, taskCounts: [] };
    expect(await store.getRun(finished.runId)).toMatchObject({ ...kept, taskCounts: expect.anything() });
    const [listed] = await store.listRuns({ labels: { team: "data" }, limit: 10 });
    expect(listed?.runId).toBe(finished.runId);
    expect(listed?.taskCounts.map(({ status, count }) => [status, count])).toEqual([
      [TaskStatus.SUCCEEDED, 2],
      [TaskStatus.SKIPPED, 1],
    ]);
    expect((await store.versions.get("w", "v"))?.workflow?.workflowId).toBe("w");
    await store.attach({ name: "new" });
    const taken = await store.takeRuns(10);
    expect(taken.map(({ runId }) => runId)).toEqual([left.runId]);
    const next = { runId: left.runId, fence: taken[0]!.fence, events: [event(left.runId, 2)], run: left };
    await store.append(next);
    expect(await store.readEvents(left.runId, 0n)).toHaveLength(2);
    await store.close();
  } finally {
    await drop();
  }
});

async function migrateTo(url: string, name: string): Promise<void> {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) });
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateTo(name);
  await db.destroy();
  if (error) throw error;
}

test.skipIf(!postgresUrl)(
  "an engine waits for another one that changes the tables, however long that takes",
  async () => {
    const { url, query, drop } = await temporaryDatabase();
    try {
      await (await openPostgres(url)).close();
      await query("begin; lock table kysely_migration_lock in access exclusive mode");
      const opened = openPostgres(url);
      // Longer than any other statement may take.
      await new Promise((resolve) => setTimeout(resolve, 5500));
      await query("commit");
      await (await opened).close();
    } finally {
      await drop();
    }
  },
  20_000,
);
