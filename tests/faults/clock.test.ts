// F4: the wall clock of one engine jumps by an hour. Postgres' clock does not, and neither do monotonic clocks.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { beforeEach, describe, expect, test } from "vitest";
import type { Scene } from "../crash/scene.ts";
import { afterwards, sceneOf, server, source, task } from "./scene-of.ts";

const HOUR_MS = 3_600_000;
let file: string;
let scene: Scene;

/** Sets the clock of the engines of this scene. */
function shift(ms: number): void {
  writeFileSync(file, String(ms));
}

beforeEach(async () => {
  if (server === "") return;
  const folder = mkdtempSync(join(tmpdir(), "odg-clock-"));
  afterwards(() => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, "shift");
  shift(0);
  const preload = pathToFileURL(join(import.meta.dirname, "shifted-clock.ts")).href;
  scene = await sceneOf({ env: { NODE_OPTIONS: `--import ${preload}`, ODG_TEST_CLOCK_SHIFT: file } });
});

const retry = (seconds: number) => ({
  max_attempts: 3,
  initial_interval: `${seconds}s`,
  max_interval: `${seconds}s`,
});
const failing = (seconds: number) =>
  source(task("again", "effect", { inputs: { failTimes: 1 }, retry: retry(seconds) }), task("aside", "idle"));

describe.skipIf(server === "")("a wall clock that jumps by an hour", () => {
  test("forward and back costs no run, no wait and no lease", async () => {
    const { client } = await scene.engine();
    await scene.engine("other", { env: {} });
    await scene.load.start(client, 10);
    for (const ms of [HOUR_MS, -HOUR_MS, 0]) {
      await sleep(200);
      shift(ms);
      await scene.load.start(client, 5);
    }
    await scene.settled();
    const { faults, runs } = await scene.inspect("allowed");
    expect(faults).toEqual([]);
    expect(runs).toBe(25);
    expect(await scene.store.query("select distinct owner from runs")).toEqual([{ owner: "scene" }]);
  });

  test("back makes nobody wait an hour for a retry, not even after a restart", async () => {
    const first = await scene.engine();
    const { run } = await first.client.runs.startRun({ source: failing(1) });
    await expect
      .poll(
        async () => (await scene.store.journalOf(run?.runId ?? "")).some(({ kind }) => kind.case === "taskFailed"),
        {
          timeout: 40_000,
        },
      )
      .toBe(true);
    await first.kill();
    shift(-HOUR_MS);
    const second = await scene.engine();
    await scene.settled();
    const ended = await second.client.runs.getRun({ runId: run?.runId ?? "" });
    expect(ended.run?.status).toBe(RunStatus.SUCCEEDED);
  });
});
