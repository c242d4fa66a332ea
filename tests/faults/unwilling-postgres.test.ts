// F7 and F8: a Postgres that refuses transactions, and one that has no room left.
import { setTimeout as sleep } from "node:timers/promises";
import type { OdgClient } from "@odg/client";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, test } from "vitest";
import { TestDatabase } from "../crash/database.ts";
import { Random } from "../crash/random.ts";
import { afterwards, refusal, sceneOf, server, source, task } from "./scene-of.ts";
import { smallDisk } from "./small-disk.ts";

/** Makes Postgres refuse so many of a hundred statements that add events, as when transactions get in each other's way. */
async function refuseSome(store: TestDatabase, percent: number, code: string): Promise<void> {
  await store.query(`create or replace function refuse() returns trigger language plpgsql as $$ begin
    if random() * 100 < ${percent} then raise exception 'refused' using errcode = '${code}'; end if; return null; end $$`);
  await store.query(
    "create or replace trigger refuse before insert on run_events for each statement execute function refuse()",
  );
}

describe.skipIf(server === "")("a Postgres that refuses transactions", () => {
  test("is asked again: no run is lost, and no half of an append is kept", async () => {
    const scene = await sceneOf();
    const { client } = await scene.engine();
    for (const code of ["40001", "40P01"]) {
      await refuseSome(scene.store, 30, code);
      await scene.load.start(client, 15);
    }
    await scene.settled();
    const { faults, runs } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(runs).toBe(30);
  });

  test("while it holds a lock costs time, and nothing else", async () => {
    const scene = await sceneOf();
    const { client } = await scene.engine();
    await scene.load.start(client, 10);
    await scene.store.query(
      "do $$ begin lock table runs, run_events in access exclusive mode; perform pg_sleep(2); end $$",
    );
    await scene.settled();
    const { faults, runs } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(runs).toBe(10);
  });

  test("lets commands that come at once meet each other in one order", async () => {
    const scene = await sceneOf();
    const { client } = await scene.engine();
    await refuseSome(scene.store, 20, "40001");
    const random = new Random(7);
    await Promise.all(Array.from({ length: 20 }, () => meddle(client, random)));
    await scene.settled();
    const { faults, runs } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(runs).toBe(20);
  });
});

/** Starts one run several times under one request id, and cancels it several times. */
async function meddle(client: OdgClient, random: Random): Promise<void> {
  const request = {
    requestId: random.uuid(),
    source: source(task("a", "effect"), task("b", "effect", { inputs: { beforeMs: 100 }, depends_on: ["a"] })),
  };
  const started = await Promise.all(Array.from({ length: 3 }, () => client.startRun(request)));
  expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
  const runId = started[0]?.runId ?? "";
  await sleep(random.between(0, 150));
  const answers = await Promise.allSettled(Array.from({ length: 3 }, () => client.runs.cancelRun({ runId })));
  for (const answer of answers)
    if (answer.status === "rejected")
      expect((await refusal(Promise.reject(answer.reason))).reason).toBe("STATE_INVALID");
}

describe.skipIf(server === "")("a Postgres without room", () => {
  test("refuses new runs with STORAGE_FULL, can be read, and goes on once there is room", async ({ skip }) => {
    const disk = smallDisk(40);
    if (!disk) {
      console.log("skipped: a full disk (this machine does not let the tests mount one)");
      return skip();
    }
    afterwards(() => disk.remove());
    const space = await TestDatabase.create(server);
    afterwards(() => space.drop());
    const name = `small_${process.pid}`;
    await space.query(`create tablespace ${name} location '${disk.folder}'`);
    afterwards(() => space.query(`drop tablespace ${name}`));
    const scene = await sceneOf({ store: await TestDatabase.create(server, `tablespace ${name}`) });
    const { client } = await scene.engine();
    await scene.load.start(client, 5);
    await fill(scene.store);
    const refused = await untilRefused(client);
    expect(refused).toMatchObject({ code: "ResourceExhausted", reason: "STORAGE_FULL" });
    const [first] = scene.load.accepted.values();
    expect((await client.runs.getRun({ runId: first?.runId ?? "" })).run?.runId).toBe(first?.runId);
    await scene.store.query("drop table filler");
    await scene.settled();
    expect((await scene.inspect()).faults).toEqual([]);
    const run = await client.runAndWait({ source: source(task("after", "effect")) });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
  });
});

/** Takes all the room that there is, in ever smaller steps. */
async function fill(store: TestDatabase): Promise<void> {
  await store.query("create table filler (text text)");
  await store.query("alter table filler alter column text set storage plain");
  for (const rows of [1_000, 100, 1]) {
    const full = async () => {
      for (;;)
        await store.query(
          `insert into filler select string_agg(md5(random()::text), '') from generate_series(1, ${rows} * 60) i group by i % ${rows}`,
        );
    };
    await expect(full()).rejects.toThrow(/No space left/);
  }
}

/** Pages that are begun still take a few runs. */
async function untilRefused(client: OdgClient): ReturnType<typeof refusal> {
  for (let i = 0; i < 500; i++) {
    const run = client.runs.startRun({ source: source(task("one_more", "effect")) }, { timeoutMs: 5_000 });
    const accepted = await run.then(
      () => true,
      () => false,
    );
    if (!accepted) return refusal(run);
  }
  throw new Error("the disk was never full");
}
