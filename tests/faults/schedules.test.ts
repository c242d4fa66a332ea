// Schedules of two engines on one Postgres: one of them is killed at every time, and the clocks of both are set ahead.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { createClient, type OdgClient } from "@odg/client";
import { workflowOf } from "@odg/engine/testing";
import { describe, expect, test } from "vitest";
import { type EngineProcess, newAddress, startEngine } from "../crash/engines.ts";
import { Random } from "../crash/random.ts";
import { afterwards, sceneOf, server, task } from "./scene-of.ts";

const HOUR = 3_600_000;
const TIMES = 4;
const SEED = 7;

describe.skipIf(server === "")("a schedule of engines that are killed at its times", () => {
  test("begins one run for each time, or counts it", { timeout: 120_000 }, async () => {
    const shift = new Shift();
    const scene = await sceneOf({ env: shift.env });
    const random = new Random(SEED);
    const addresses = [await newAddress("first"), await newAddress("second")];
    const engines: EngineProcess[] = [];
    afterwards(() => Promise.all(engines.map((one) => one.kill())));
    for (const address of addresses) engines.push(await startEngine(scene.household, address));
    await keepHourly(clientOf(engines));
    for (let time = 1; time <= TIMES; time++) {
      shift.ahead(HOUR);
      await sleep(random.between(0, 1200));
      const victim = random.between(0, 1);
      await engines[victim]?.kill();
      const address = addresses[victim];
      if (address) engines[victim] = await startEngine(scene.household, address);
    }
    // Past every claim that a dead engine may have left.
    shift.ahead(60_000);
    const settled = await accounted(clientOf(engines));
    expect(settled.starts).toEqual([...new Set(settled.starts)]);
    expect(settled.starts.length).toBeGreaterThanOrEqual(TIMES / 2);
    await scene.settled();
    expect((await scene.inspect()).faults).toEqual([]);
  });
});

/** A wall clock that the engines of this test share. */
class Shift {
  readonly env: Record<string, string>;
  readonly #file: string;
  // From the middle of an hour: no hour begins by itself while the test runs.
  #ms = 1.5 * HOUR - (Date.now() % HOUR);

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "odg-shift-"));
    afterwards(() => rmSync(folder, { recursive: true, force: true }));
    this.#file = join(folder, "shift");
    this.ahead(0);
    const preload = pathToFileURL(join(import.meta.dirname, "shifted-clock.ts")).href;
    this.env = { ODG_TEST_CLOCK_SHIFT: this.#file, NODE_OPTIONS: `--import ${preload}` };
  }

  ahead(ms: number): void {
    this.#ms += ms;
    writeFileSync(this.#file, String(this.#ms));
  }
}

function clientOf([first]: EngineProcess[]): OdgClient {
  const client = createClient({ url: first?.url ?? "" });
  afterwards(() => client.close());
  return client;
}

async function keepHourly(client: OdgClient): Promise<void> {
  await client.workflows.publishWorkflow({ workflow: workflowOf([task("one", "effect")], "hourly") });
  const schedule = { scheduleId: "hourly", cron: "0 * * * *", workflowId: "hourly", overlap: "allow" };
  await client.schedules.createSchedule({ schedule });
}

/** What the schedule has done, once every time is accounted for. */
async function accounted(client: OdgClient): Promise<{ starts: string[]; skipped: number }> {
  for (let tries = 0; ; tries++) {
    const { runs } = await client.runs.listRuns({ labels: { schedule: "hourly" } });
    const { schedule } = await client.schedules.getSchedule({ scheduleId: "hourly" });
    const starts = runs.map(({ createTime }) => String(Math.floor(Number(createTime?.seconds) / 3600)));
    const skipped = Number(schedule?.skippedCount);
    if (starts.length + skipped === TIMES) return { starts, skipped };
    if (starts.length + skipped > TIMES || tries > 150) {
      throw new Error(`${starts.length} runs and ${skipped} times without one, of ${TIMES}; seed ${SEED}`);
    }
    await sleep(300);
  }
}
