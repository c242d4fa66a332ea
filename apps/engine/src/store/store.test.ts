import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryStore } from "./memory.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";
import { type ExpertRecord, JournalConflict, type Store } from "./store.ts";
import { StoreInUse } from "./store-in-use.ts";
import { StoreUnavailable } from "./unavailable.ts";

const postgresUrl = process.env.ODG_TEST_POSTGRES_URL;
const folder = mkdtempSync(join(tmpdir(), "odg-store-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

conformance("memory", async () => new MemoryStore());
conformance("PGlite", () => openPglite(join(folder, randomUUID())));
if (postgresUrl) conformance("Postgres", () => openPostgres(postgresUrl));

function run(init: MessageInitShape<typeof RunSchema> = {}): Run {
  return create(RunSchema, {
    runId: uuidv7(),
    workflowId: "w",
    workflowVersion: "v",
    status: RunStatus.RUNNING,
    createTime: timestampFromMs(1_700_000_000_000),
    ...init,
  });
}

function event(runId: string, seq: number): Event {
  return create(EventSchema, {
    runId,
    seq: BigInt(seq),
    time: timestampFromMs(1_700_000_000_000 + seq),
    kind: { case: "taskSkipped", value: { task: seq } },
  });
}

// A name of its own: the Postgres of the tests may have seen earlier runs.
const expertName = `Expert${randomUUID().slice(0, 8)}`;
const expert: ExpertRecord = {
  expertId: `${expertName}@1.0.0`,
  expertName,
  version: "1.0.0",
  capabilities: ["schema_analysis", 'with, comma and "quote"'],
  modelBackend: "gpt-5.2",
  maxConcurrentTasks: 4,
  averageLatencyMs: 0,
  status: "available",
  placement: "module",
  packageName: "@odg/expert-schema",
  permissions: '{"datasets":"read"}',
  digest: "",
  publisher: "acme",
  approval: "",
};

function conformance(name: string, openStore: () => Promise<Store>): void {
  describe(`a store in ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore();
    });
    afterAll(() => store.close());

    test("gives back events in order, from any place", async () => {
      const one = run();
      await store.append({ runId: one.runId, events: [event(one.runId, 1), event(one.runId, 2)], run: one });
      await store.append({ runId: one.runId, events: [event(one.runId, 3)], run: one });
      expect((await store.readEvents(one.runId, 0n)).map(({ seq }) => seq)).toEqual([1n, 2n, 3n]);
      expect((await store.readEvents(one.runId, 2n)).map(({ seq }) => seq)).toEqual([3n]);
      expect(await store.readEvents(uuidv7(), 0n)).toEqual([]);
    });

    test("refuses a sequence number that is taken, and keeps nothing of that append", async () => {
      const one = run();
      await store.append({ runId: one.runId, events: [event(one.runId, 1), event(one.runId, 2)], run: one });
      const late = { ...one, status: RunStatus.FAILED };
      const append = async () =>
        store.append({ runId: one.runId, events: [event(one.runId, 2), event(one.runId, 3)], run: late });
      await expect(append()).rejects.toThrow(JournalConflict);
      expect(await store.readEvents(one.runId, 0n)).toHaveLength(2);
      expect((await store.getRun(one.runId))?.status).toBe(RunStatus.RUNNING);
    });

    test("commits the other runs of a batch in which one conflicts", async () => {
      const taken = run();
      await store.append({ runId: taken.runId, events: [event(taken.runId, 1)], run: taken });
      const others = Array.from({ length: 5 }, () => run());
      const appends = [taken, ...others].map(async (one) =>
        store.append({ runId: one.runId, events: [{ ...event(one.runId, 1), time: timestampFromMs(1) }], run: one }),
      );
      const outcomes = await Promise.allSettled(appends);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", ...others.map(() => "fulfilled")]);
      for (const one of others) expect(await store.readEvents(one.runId, 0n)).toHaveLength(1);
    });

    test("keeps the newest projection of a run, without the outputs of its tasks", async () => {
      const one = run();
      await store.append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      const output = create(ValueSchema, { kind: { case: "stringValue", value: "large" } });
      const ended = run({
        runId: one.runId,
        status: RunStatus.SUCCEEDED,
        lastSeq: 2n,
        tasks: [{ taskId: "a", summary: "done", output }],
      });
      await store.append({ runId: one.runId, events: [event(one.runId, 2)], run: ended });
      const kept = await store.getRun(one.runId);
      expect(kept?.status).toBe(RunStatus.SUCCEEDED);
      expect(kept?.tasks[0]?.summary).toBe("done");
      expect(kept?.tasks[0]?.output).toBeUndefined();
      expect(await store.getRun(uuidv7())).toBeUndefined();
    });

    test("lists runs newest first, by workflow, by status, page by page", async () => {
      const workflowId = `list_${randomUUID().slice(0, 8)}`;
      const runs = Array.from({ length: 5 }, (_, i) =>
        run({ workflowId, status: i % 2 ? RunStatus.FAILED : RunStatus.RUNNING }),
      );
      for (const one of runs) await store.append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      const newest = runs.map(({ runId }) => runId).reverse();
      const ids = async (filter: object) =>
        (await store.listRuns({ workflowId, limit: 10, ...filter })).map(({ runId }) => runId);
      expect(await ids({})).toEqual(newest);
      expect(await ids({ status: RunStatus.FAILED })).toEqual([newest[1], newest[3]]);
      expect(await ids({ limit: 2 })).toEqual(newest.slice(0, 2));
      expect(await ids({ limit: 2, before: newest[1] })).toEqual(newest.slice(2, 4));
    });

    test("finds the run of a request id, and refuses the id a second time", async () => {
      const [one, two] = [run(), run()];
      const request = { id: randomUUID(), hash: "h" };
      await store.append({ runId: one.runId, events: [event(one.runId, 1)], run: one, request });
      expect(await store.findRequest(request.id)).toEqual({ runId: one.runId, hash: "h" });
      expect(await store.findRequest(randomUUID())).toBeUndefined();
      const again = async () => store.append({ runId: two.runId, events: [event(two.runId, 1)], run: two, request });
      await expect(again()).rejects.toThrow(JournalConflict);
      expect(await store.getRun(two.runId)).toBeUndefined();
    });

    test("keeps the latency of an expert that registers again", async () => {
      expect(await store.putExpert(expert)).toEqual(expert);
      await store.updateExpert(expert.expertId, { averageLatencyMs: 12.5, status: "busy" });
      const again = await store.putExpert({ ...expert, maxConcurrentTasks: 8 });
      expect(again).toEqual({ ...expert, maxConcurrentTasks: 8, averageLatencyMs: 12.5 });
      await store.updateExpert("Nobody@1.0.0", { status: "offline" });
      const second = { ...expert, expertId: `${expertName}@0.9.0`, version: "0.9.0" };
      await store.putExpert(second);
      const listed = (await store.listExperts()).filter((one) => one.expertName === expertName);
      expect(listed.map(({ version }) => version)).toEqual(["0.9.0", "1.0.0"]);
    });
  });
}

describe("a store in a folder", () => {
  test("survives being closed, and has one owner at a time", async () => {
    const path = join(folder, "owned");
    const one = run();
    const store = await openPglite(path);
    await store.append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
    await expect(openPglite(path)).rejects.toThrow(StoreInUse);
    await store.close();
    const again = await openPglite(path);
    expect(await again.readEvents(one.runId, 0n)).toHaveLength(1);
    await again.close();
  });

  test("is taken over from an owner that is dead", async () => {
    const path = join(folder, "orphan");
    await (await openPglite(path)).close();
    // Beyond Linux' largest process id: no process can have it.
    writeFileSync(join(path, "engine.pid"), "4194305");
    await (await openPglite(path)).close();
  });
});

test("a Postgres that does not answer is said to be unavailable", async () => {
  await expect(openPostgres("postgres://odg:secret@127.0.0.1:1/odg")).rejects.toThrow(StoreUnavailable);
});

test.skipIf(!postgresUrl)("two engines may bring the same empty Postgres up to date at once", async () => {
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  const name = `odg_${randomUUID().replaceAll("-", "")}`;
  await admin.query(`create database ${name}`);
  const url = new URL(postgresUrl ?? "");
  url.pathname = `/${name}`;
  const stores = await Promise.all([openPostgres(url.href), openPostgres(url.href)]);
  await Promise.all(stores.map((store) => store.close()));
  await admin.query(`drop database ${name}`);
  await admin.end();
});
