// F1 and F3: two engines of one store, of which one dies, or is stopped for longer than its lease and comes back.
import { setTimeout as sleep } from "node:timers/promises";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, test } from "vitest";
import type { Scene } from "../crash/scene.ts";
import { sceneOf, server, source, task } from "./scene-of.ts";

/** Leases last five seconds; whoever looks for runs that nobody drives does so each second. Many times that, for a busy machine. */
const TAKEN_OVER_MS = 40_000;
const STOPPED_MS = process.env.ODG_FAULTS === "full" ? 30_000 : 8_000;

const slow = () =>
  source(
    ...[0, 1, 2].map((i) => task(`t${i}`, "effect", { inputs: { beforeMs: 500 }, depends_on: i ? [`t${i - 1}`] : [] })),
  );

async function owners(scene: Scene): Promise<string[]> {
  const rows = await scene.store.query<{ owner: string }>("select distinct owner from runs order by owner");
  return rows.map(({ owner }) => owner);
}

describe.skipIf(server === "")("two engines of one store", () => {
  test("go on with each other's runs after a death", async () => {
    const scene = await sceneOf();
    const first = await scene.engine("first");
    const second = await scene.engine("second");
    const runs = await Promise.all(Array.from({ length: 8 }, () => first.client.startRun({ source: slow() })));
    expect(await owners(scene)).toEqual(["first"]);
    await first.kill();
    const waiting = runs.map(({ runId }) => second.client.runs.getRun({ runId }));
    expect((await Promise.all(waiting)).map(({ run }) => run?.status)).toEqual(runs.map(() => RunStatus.RUNNING));
    await expect.poll(() => owners(scene), { timeout: TAKEN_OVER_MS }).toEqual(["second"]);
    await scene.settled(40_000);
    const { faults, unsuccessful } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(unsuccessful).toBe(0);
  });

  test("refuse what one of them writes late, after it was stopped for longer than its lease", async () => {
    const scene = await sceneOf();
    const stopped = await scene.engine("stopped");
    const other = await scene.engine("other");
    for (let i = 0; i < 8; i++) await stopped.client.startRun({ source: slow() });
    stopped.signal("SIGSTOP");
    await sleep(STOPPED_MS);
    await scene.settled(40_000);
    expect(await owners(scene)).toEqual(["other"]);
    const before = await scene.store.query("select run_id, seq, event from run_events order by run_id, seq");

    stopped.signal("SIGCONT");
    // Its experts come to their ends, and it wants to record that.
    await stopped.running.said(/another engine drives this run/);
    await sleep(1_000);
    expect(await scene.store.query("select run_id, seq, event from run_events order by run_id, seq")).toEqual(before);
    const { faults, unsuccessful, effects } = await scene.inspect("allowed");
    expect(faults).toEqual([]);
    expect(unsuccessful).toBe(0);
    expect(effects.keys).toBe(24);

    // It is one of the engines again, and both see all runs.
    const run = await stopped.client.runAndWait({ source: slow() });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect((await other.client.runs.getRun({ runId: run.runId })).run?.status).toBe(RunStatus.SUCCEEDED);
  });
});
