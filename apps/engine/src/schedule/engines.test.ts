// Schedules of real engines that share a store, by a clock that the test sets ahead.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Schedule, ScheduleSchema, ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { inProcessTransport } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../clock.ts";
import { readConfig } from "../config.ts";
import { createEngine, type Engine } from "../engine.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { gate, PROBE_EXPERT, workflowOf } from "../testing/index.ts";

const HOUR = 3_600_000;
const PATIENCE = { timeout: 15_000, interval: 50 };

// From the middle of an hour: no hour begins by itself while the test runs.
let ahead = 1.5 * HOUR - (Date.now() % HOUR);
const clock = { ...systemClock, now: () => systemClock.now() + ahead };
const engines: Engine[] = [];
let schedules: Client<typeof ScheduleService>;
let runs: Client<typeof RunService>;
let workflows: Client<typeof WorkflowService>;

beforeAll(async () => {
  const database = new MemoryDatabase();
  for (const engineName of ["first", "second"]) {
    const bare = { ...readConfig({}).engine, experts: [PROBE_EXPERT], poolThreads: 1, logLevel: "silent", engineName };
    engines.push(await createEngine({ ...bare, store: { kind: "memory", database } }, clock));
  }
  const transport = inProcessTransport(engines[0]?.routes ?? (() => undefined));
  schedules = createClient(ScheduleService, transport);
  runs = createClient(RunService, transport);
  workflows = createClient(WorkflowService, transport);
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

/** Keeps an hourly schedule of a workflow with one task, under one name. */
async function hourly(name: string, task: object, init: MessageInitShape<typeof ScheduleSchema> & object = {}) {
  const workflow = workflowOf([{ id: "only", expert: "ProbeExpert", ...task }], name);
  await workflows.publishWorkflow({ workflow });
  const schedule = create(ScheduleSchema, { scheduleId: name, cron: "0 * * * *", workflowId: name, ...init });
  await schedules.createSchedule({ schedule });
}

const begun = async (name: string): Promise<Run[]> => (await runs.listRuns({ labels: { schedule: name } })).runs;
const kept = async (scheduleId: string): Promise<Schedule> =>
  (await schedules.getSchedule({ scheduleId })).schedule ?? create(ScheduleSchema);

describe("schedules of two engines", () => {
  it("begin one run for each time, in the name of the schedule", async () => {
    await hourly("plain", { action: "nap", inputs: { ms: 1 } });
    for (let time = 1; time <= 3; time++) {
      ahead += HOUR;
      await vi.waitFor(async () => expect(await begun("plain")).toHaveLength(time), PATIENCE);
      await vi.waitFor(async () => expect((await begun("plain"))[0]?.status).toBe(RunStatus.SUCCEEDED), PATIENCE);
    }
    const [newest] = await begun("plain");
    expect(newest).toMatchObject({ user: "schedule:plain", workflowId: "plain" });
    await vi.waitFor(async () => expect(await kept("plain")).toMatchObject({ lastRunId: newest?.runId }), PATIENCE);
    expect((await kept("plain")).skippedCount).toBe(0n);
  });

  it("begin one run for the newest of the times that were missed, and none where the clock goes back", async () => {
    await hourly("missed", { action: "nap", inputs: { ms: 1 } });
    ahead += 5 * HOUR;
    await vi.waitFor(async () => expect((await kept("missed")).lastRunId).not.toBe(""), PATIENCE);
    expect((await kept("missed")).skippedCount).toBe(4n);
    ahead -= HOUR;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await begun("missed")).toHaveLength(1);
    ahead += HOUR;
  });

  it("let a time wait for the run before where it queues", async () => {
    const held = gate("queue");
    await hourly("queued", { action: "hold", inputs: { gate: "queue" } }, { overlap: "queue" });
    ahead += HOUR;
    await vi.waitFor(async () => expect(await begun("queued")).toHaveLength(1), PATIENCE);
    await vi.waitFor(async () => expect((await kept("queued")).lastRunId).not.toBe(""), PATIENCE);
    ahead += HOUR;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await begun("queued")).toHaveLength(1);
    held.open();
    await vi.waitFor(async () => expect(await begun("queued")).toHaveLength(2), PATIENCE);
  });

  it("cancel the run before where they are told to", async () => {
    gate("cancel");
    await hourly("cancelled", { action: "hold", inputs: { gate: "cancel" } }, { overlap: "cancel" });
    ahead += HOUR;
    await vi.waitFor(async () => expect((await kept("cancelled")).lastRunId).not.toBe(""), PATIENCE);
    ahead += HOUR;
    await vi.waitFor(async () => {
      const statuses = (await begun("cancelled")).map(({ status }) => status);
      expect(statuses).toEqual([RunStatus.RUNNING, RunStatus.CANCELLED]);
    }, PATIENCE);
  });

  it("say why no run could be started", async () => {
    await hourly("gone", { action: "nap", inputs: { ms: 1 } });
    const { published } = await workflows.getWorkflow({ workflowId: "gone" });
    const mark = { workflowId: "gone", version: published?.version ?? "", deprecation: "not any more" };
    await workflows.deprecateWorkflow(mark);
    ahead += HOUR;
    await vi.waitFor(async () => expect((await kept("gone")).lastFailure).toContain("not any more"), PATIENCE);
    expect(await begun("gone")).toEqual([]);
  });
});
