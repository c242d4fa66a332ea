// The workflows of examples/workflows, run over the sample lake.
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { type EngineUnderTest, sampleLake, startEngine, watchToEnd } from "@odg/engine/testing";
import { ApprovalStatus, type Run, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { parseWorkflow } from "@odg/workflow";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const FOLDER = resolve(import.meta.dirname, "../examples/workflows");
const SLOW = { timeout: 60_000 };
let lake: string;
let engine: EngineUnderTest;

beforeAll(async () => {
  lake = sampleLake(500);
  engine = await startEngine({ dataRoots: [lake] });
}, 60_000);
afterAll(async () => {
  await engine?.close();
  rmSync(lake, { recursive: true, force: true });
});

async function started(name: string, inputs: JsonObject): Promise<string> {
  const { workflow } = parseWorkflow(readFileSync(join(FOLDER, `${name}.yaml`), "utf8"), `${name}.yaml`);
  if (!workflow) throw new Error(`${name} does not parse`);
  const { run } = await engine.runs.startRun({ source: { case: "workflow", value: workflow }, inputs });
  return run?.runId ?? "";
}

const statuses = ({ tasks }: Run) =>
  Object.fromEntries(tasks.map(({ taskId, status }) => [taskId, TaskStatus[status]]));

describe("the workflows to start from", () => {
  it("each_table looks into every table", SLOW, async () => {
    const { run } = await watchToEnd(engine.runs, await started("each_table", {}));
    expect(run.tasks.map(({ failure }) => failure?.message)).toEqual([undefined, undefined]);
    expect(run.tasks.map(({ items }) => items?.succeeded)).toEqual([2, 2]);
  });

  it.each([
    [true, { quick: "SKIPPED", thorough: "SUCCEEDED" }],
    [false, { quick: "SUCCEEDED", thorough: "SKIPPED" }],
  ])("two_ways takes one of its branches, and joins them: thorough is %j", SLOW, async (thorough, branches) => {
    const { run } = await watchToEnd(engine.runs, await started("two_ways", { dataset: "orders.parquet", thorough }));
    expect(statuses(run)).toEqual({ schema: "SUCCEEDED", gdpr: "SUCCEEDED", ...branches });
  });

  it("ask_before_publishing onboards by a run of its own, once somebody agrees", SLOW, async () => {
    const runId = await started("ask_before_publishing", { dataset: "orders.parquet" });
    const waiting = await vi.waitFor(
      async () => {
        const { approvals } = await engine.runs.listApprovals({ runId, status: ApprovalStatus.PENDING });
        if (!approvals[0]) throw new Error("nobody is asked yet");
        return approvals[0];
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(waiting.approval?.question).toMatch(/^May orders\.parquet be published\? It has \d+ columns\.$/);
    const decision = { runId, taskId: waiting.taskId, approve: true };
    await engine.runs.decideApproval(decision, { headers: { "odg-user": "dora" } });
    const { run } = await watchToEnd(engine.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    const childId = run.tasks[2]?.childRunId ?? "";
    const { run: child } = await engine.runs.getRun({ runId: childId });
    expect(child).toMatchObject({ workflowId: "onboard_dataset", parent: { runId }, status: RunStatus.SUCCEEDED });
  });
});
