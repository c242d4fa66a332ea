// F25: a wide run, a deep one, one that bites its tail, and a small run beside a large one.
import { readFileSync } from "node:fs";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, test } from "vitest";
import type { EngineProcess } from "../crash/engines.ts";
import { percentile } from "../crash/inspection.ts";
import { refusal, sceneOf, server, source, task } from "./scene-of.ts";

/** Tasks of the wide run; `ODG_FAULTS=full` makes it as large as a run may be. */
const FULL = process.env.ODG_FAULTS === "full";
const WIDE = FULL ? 9_998 : 2_000;
/** Of the small runs, how many have to be quick: on a machine that other tests keep busy the slowest say nothing. */
const SHARE = FULL ? 0.95 : 0.5;
/** Most memory that an engine may take for it, in MB. */
const MEMORY_MB = 512;

/** The most memory that the process had so far, in MB, as Linux counts it. */
function peakOf({ running }: EngineProcess): number {
  const status = readFileSync(`/proc/${running.process.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function fan(width: number, ms = 0): ReturnType<typeof source> {
  const middle = Array.from({ length: width }, (_, i) =>
    task(`m${i}`, "idle", { inputs: { ms }, depends_on: ["first"] }),
  );
  return source(
    task("first", "idle", { inputs: {} }),
    ...middle,
    task("last", "idle", { inputs: {}, depends_on: middle.map((_, i) => `m${i}`) }),
  );
}

const six = (ms: number) => {
  const idle = (id: string, ...depends_on: string[]) => task(id, "idle", { inputs: { ms }, depends_on });
  return source(idle("a"), idle("b", "a"), idle("c", "a"), idle("d", "a"), idle("e", "c"), idle("f", "e"));
};

async function timed(engine: EngineProcess, run: ReturnType<typeof source>): Promise<number> {
  const began = performance.now();
  expect((await engine.client.runAndWait({ source: run })).status).toBe(RunStatus.SUCCEEDED);
  return performance.now() - began;
}

describe.skipIf(server === "")("a large run", () => {
  test("of thousands of tasks beside each other stays within 512 MB", { timeout: 240_000 }, async () => {
    const scene = await sceneOf();
    const engine = await scene.engine();
    await timed(engine, fan(WIDE));
    const peak = peakOf(engine);
    if (FULL) console.log(`${WIDE + 2} tasks: ${peak.toFixed(0)} MB peak`);
    expect(peak).toBeLessThan(MEMORY_MB);
    expect((await scene.inspect()).faults).toEqual([]);
  });

  test("of a thousand tasks behind each other comes to its end", async () => {
    const scene = await sceneOf();
    const engine = await scene.engine();
    const chain = Array.from({ length: 1_000 }, (_, i) =>
      task(`t${i}`, "idle", { inputs: {}, depends_on: i === 0 ? [] : [`t${i - 1}`] }),
    );
    await timed(engine, source(...chain));
    expect((await scene.inspect()).faults).toEqual([]);
  });

  test("whose tasks wait for each other is refused", async () => {
    const scene = await sceneOf();
    const { client } = await scene.engine();
    const ring = Array.from({ length: 3_000 }, (_, i) =>
      task(`t${i}`, "idle", { depends_on: [`t${(i + 2_999) % 3_000}`] }),
    );
    expect(await refusal(client.runs.startRun({ source: source(...ring) }))).toMatchObject({
      code: "InvalidArgument",
      reason: "DAG_INVALID",
    });
    expect(await scene.store.runIds()).toEqual([]);
  });

  test("does not make a small one wait: it takes less than twice as long", async () => {
    const scene = await sceneOf();
    const engine = await scene.engine("scene", { experts: [scene.expert({ slots: 8 })] });
    const small: number[][] = [[], []];
    for (let i = 0; i < 12; i++) small[0]?.push(await timed(engine, six(40)));
    const large = engine.client.runAndWait({ source: fan(WIDE, 40) });
    const over = Promise.race([large.then(() => true)]);
    for (let i = 0; i < 12; i++) small[1]?.push(await timed(engine, six(40)));
    expect(await Promise.race([over, Promise.resolve(false)])).toBe(false);
    const [alone = 0, beside = 0] = small.map((times) => percentile(times.slice(2), SHARE));
    expect(beside).toBeLessThan(2 * alone);
  });
});
