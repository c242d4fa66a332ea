// The stores of versions, drafts and schedules: one list for memory, the embedded Postgres and a Postgres server.
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { PGlite } from "@electric-sql/pglite";
import { ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { PublishedWorkflowSchema, WorkflowDraftSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Dialect, Kysely, PGliteDialect, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DraftStore, MemoryDrafts } from "./drafts.ts";
import { type DraftTables, SqlDrafts } from "./drafts-sql.ts";
import { migrations } from "./migrations.ts";
import { type KeptSchedule, MemorySchedules, type ScheduleStore } from "./schedules.ts";
import { type ScheduleTables, SqlSchedules } from "./schedules-sql.ts";
import { MemoryVersions, type VersionStore } from "./versions.ts";
import { SqlVersions, type VersionTables } from "./versions-sql.ts";

interface Stores {
  versions: VersionStore;
  drafts: DraftStore;
  schedules: ScheduleStore;
  close(): Promise<void>;
}

const postgresUrl = process.env.ODG_TEST_POSTGRES_URL;

conformance("memory", async () => ({
  versions: new MemoryVersions(),
  drafts: new MemoryDrafts(),
  schedules: new MemorySchedules(),
  close: async () => undefined,
}));
conformance("PGlite", () => inSql(new PGliteDialect({ pglite: new PGlite() })));
if (postgresUrl) conformance("Postgres", () => inDatabaseOfItsOwn(postgresUrl));

async function inSql(dialect: Dialect): Promise<Stores> {
  const db = new Kysely<VersionTables & DraftTables & ScheduleTables>({ dialect });
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
  if (error) throw error;
  return {
    versions: new SqlVersions(db),
    drafts: new SqlDrafts(db),
    schedules: new SqlSchedules(db),
    close: () => db.destroy(),
  };
}

async function inDatabaseOfItsOwn(url: string): Promise<Stores> {
  const name = `odg_${randomUUID().replaceAll("-", "")}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const stores = await inSql(new PostgresDialect({ pool: new pg.Pool({ connectionString: own.href, max: 5 }) }));
  const close = async () => {
    await stores.close();
    await admin.query(`drop database ${name}`);
    await admin.end();
  };
  return { ...stores, close };
}

const published = (workflowId: string, version: string, description = "") =>
  create(PublishedWorkflowSchema, { version, workflow: { workflowId, description } });
const draft = (workflowId: string, etag: string) => create(WorkflowDraftSchema, { etag, workflow: { workflowId } });
const schedule = (scheduleId: string, rest: Partial<KeptSchedule> = {}): KeptSchedule => ({
  schedule: create(ScheduleSchema, { scheduleId, cron: "0 6 * * *", workflowId: "w" }),
  uid: randomUUID(),
  revision: 1,
  ...rest,
});

function conformance(name: string, open: () => Promise<Stores>): void {
  describe(`in ${name}`, () => {
    let stores: Stores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores?.close());

    test("versions: every one is kept, and the same one again changes nothing", async () => {
      const { versions } = stores;
      await versions.publish(published("kept", "v1", "first"));
      await versions.publish(published("kept", "v2", "second"));
      expect((await versions.publish(published("kept", "v1", "changed"))).workflow?.description).toBe("first");
      expect((await versions.newest("kept", "all"))?.version).toBe("v2");
      expect((await versions.get("kept", "v1"))?.workflow?.description).toBe("first");
      expect(await versions.get("kept", "v3")).toBeUndefined();
      expect(await versions.newest("unknown", "all")).toBeUndefined();
    });

    test("versions: lists them newest first, page by page", async () => {
      const { versions } = stores;
      for (const version of ["v1", "v2", "v3"]) await versions.publish(published("listed", version));
      const listed = async (page: { before?: string; limit: number }) =>
        (await versions.versions("listed", page)).map(({ version }) => version);
      expect(await listed({ limit: 2 })).toEqual(["v3", "v2"]);
      expect(await listed({ before: "v2", limit: 2 })).toEqual(["v1"]);
      expect(await listed({ before: "v1", limit: 2 })).toEqual([]);
      expect(await listed({ before: "gone", limit: 2 })).toEqual([]);
    });

    test("versions: lists the newest of each workflow by id, page by page", async () => {
      const { versions } = stores;
      for (const id of ["zc", "zA", "za", "zA"]) await versions.publish(published(id, randomUUID()));
      const first = await versions.newestOfEach({ after: "z", limit: 2 });
      expect(first.map(({ workflow }) => workflow?.workflowId)).toEqual(["zA", "za"]);
      expect(first[0]?.version).toBe((await versions.newest("zA", "all"))?.version);
      const rest = await versions.newestOfEach({ after: "za", limit: 5 });
      expect(rest.map(({ workflow }) => workflow?.workflowId)).toEqual(["zc"]);
    });

    test("versions: one that is deprecated is not usable until the mark is taken away", async () => {
      const { versions } = stores;
      for (const version of ["v1", "v2"]) await versions.publish(published("marked", version));
      expect((await versions.deprecate("marked", "v2", "wrong rows"))?.deprecation).toBe("wrong rows");
      expect((await versions.get("marked", "v2"))?.deprecation).toBe("wrong rows");
      expect((await versions.newest("marked", "all"))?.version).toBe("v2");
      expect((await versions.newest("marked", "usable"))?.version).toBe("v1");
      await versions.deprecate("marked", "v1", "old");
      expect(await versions.newest("marked", "usable")).toBeUndefined();
      expect((await versions.deprecate("marked", "v2", ""))?.deprecation).toBe("");
      expect((await versions.newest("marked", "usable"))?.version).toBe("v2");
      expect(await versions.deprecate("marked", "v9", "no")).toBeUndefined();
    });

    test("drafts: one replaces the one that it names, and no other", async () => {
      const { drafts } = stores;
      expect(await drafts.get("d")).toBeUndefined();
      expect(await drafts.put(draft("d", "e1"), "e0")).toBe(false);
      expect(await drafts.put(draft("d", "e1"), "")).toBe(true);
      expect(await drafts.put(draft("d", "e2"), "")).toBe(false);
      expect(await drafts.put(draft("d", "e2"), "e1")).toBe(true);
      expect(await drafts.put(draft("d", "e3"), "e1")).toBe(false);
      expect((await drafts.get("d"))?.etag).toBe("e2");
      expect(await drafts.remove("d", "e1")).toBe(false);
      expect(await drafts.remove("d", "e2")).toBe(true);
      expect(await drafts.remove("d", "")).toBe(false);
      await drafts.put(draft("d", "e4"), "");
      expect(await drafts.remove("d", "")).toBe(true);
    });

    test("drafts: of many who save at once over the same etag, one does", async () => {
      const { drafts } = stores;
      const first = await Promise.all(Array.from({ length: 8 }, (_, n) => drafts.put(draft("race", `a${n}`), "")));
      expect(first.filter(Boolean)).toHaveLength(1);
      const etag = (await drafts.get("race"))?.etag ?? "";
      const next = await Promise.all(Array.from({ length: 8 }, (_, n) => drafts.put(draft("race", `b${n}`), etag)));
      expect(next.filter(Boolean)).toHaveLength(1);
    });

    test("schedules: give back what was kept, to the millisecond, with what is absent absent", async () => {
      const { schedules } = stores;
      const times = { wakeMs: 1_767_225_600_001, firingMs: 1_767_225_600_002, queuedMs: 1_767_225_600_003 };
      const full = schedule("full", times);
      expect(await schedules.add(full)).toBe(true);
      expect(await schedules.add(schedule("full"))).toBe(false);
      expect(await schedules.get("full")).toEqual(full);
      const bare = schedule("bare");
      await schedules.add(bare);
      expect(await schedules.get("bare")).toEqual(bare);
      expect(await schedules.get("none")).toBeUndefined();
      expect((await schedules.list({ after: "ba", limit: 1 })).map((one) => one.schedule.scheduleId)).toEqual(["bare"]);
    });

    test("schedules: who replaces what somebody else has replaced does nothing", async () => {
      const { schedules } = stores;
      const one = schedule("raced");
      await schedules.add(one);
      const tries = Array.from({ length: 8 }, (_, n) => schedules.replace({ ...one, wakeMs: 1000 + n }));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      const kept = await schedules.get("raced");
      expect(kept?.revision).toBe(2);
      expect(await schedules.remove("raced", 1)).toBe(false);
      expect(await schedules.remove("raced", 2)).toBe(true);
      await schedules.add({ ...schedule("raced"), revision: 2 });
      expect(await schedules.replace({ ...one, revision: 2 })).toBe(false);
    });

    test("schedules: those are due whose time has come, the longest overdue first", async () => {
      const { schedules } = stores;
      for (const [id, wakeMs] of Object.entries({ later: 501, now: 500, before: 400 })) {
        await schedules.add(schedule(id, { wakeMs }));
      }
      const ids = (await schedules.due(500, 10)).map((one) => one.schedule.scheduleId);
      expect(ids.filter((id) => ["later", "now", "before"].includes(id))).toEqual(["before", "now"]);
      expect(await schedules.due(500, 1)).toHaveLength(1);
    });
  });
}
