// F21: the version of an expert is replaced while runs are under way.
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { OdgClient } from "@odg/client";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, test } from "vitest";
import { sceneOf, server, source, task } from "./scene-of.ts";

const steps = () =>
  source(
    ...Array.from({ length: 5 }, (_, i) =>
      task(`step_${i}`, "effect", { inputs: { beforeMs: 300 }, depends_on: i === 0 ? [] : [`step_${i - 1}`] }),
    ),
  );

async function versionsOf(client: OdgClient, runId: string): Promise<unknown[]> {
  const { run } = await client.runs.getRun({ runId });
  expect(run?.status).toBe(RunStatus.SUCCEEDED);
  return (run?.tasks ?? []).map(({ output }) => output && (toJson(ValueSchema, output) as { version: string }).version);
}

describe.skipIf(server === "")("an expert whose next version comes while a run is under way", () => {
  test("ends that run as the version it began with, and begins new runs as the new one", async () => {
    const scene = await sceneOf();
    const old = await scene.engine();
    const before = await old.client.startRun({ source: steps() });
    await expect
      .poll(async () => (await scene.store.journalOf(before.runId)).some(({ kind }) => kind.case === "taskCompleted"), {
        timeout: 40_000,
      })
      .toBe(true);
    await old.kill();
    const both = [...scene.household.experts, scene.expert({ version: "1.1.0" })];
    const { client } = await scene.engine("scene", { experts: both });
    const after = await client.startRun({ source: steps() });
    await scene.settled();
    expect(await versionsOf(client, before.runId)).toEqual(Array(5).fill("1.0.0"));
    expect(await versionsOf(client, after.runId)).toEqual(Array(5).fill("1.1.0"));
    expect((await scene.inspect()).faults).toEqual([]);
  });

  test("fails the tasks that are pinned to a version which is gone, and says so", async () => {
    const scene = await sceneOf();
    const old = await scene.engine();
    const before = await old.client.startRun({ source: steps() });
    await old.kill();
    const { client } = await scene.engine("scene", { experts: [scene.expert({ version: "1.1.0" })] });
    await scene.settled();
    const { run } = await client.runs.getRun({ runId: before.runId });
    expect(run?.status).toBe(RunStatus.FAILED);
    expect(run?.failure?.message).toContain("EffectExpert@1.0.0");
  });
});
