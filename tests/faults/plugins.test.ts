// Faults F19 to F22 of plugins in processes of their own: whatever they do, only their own tasks fail.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { EngineUnderTest } from "@odg/engine/testing";
import { ExpertStatus } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import type { TaskState } from "@odg/proto/odg/run/v1/run_pb";
import { afterEach, describe, expect, test } from "vitest";
import { engineWith, reasonOf, runTasks } from "./engine.ts";

const opened: EngineUnderTest[] = [];
const start = async (...plugins: string[]) => {
  const engine = await engineWith(...plugins);
  opened.push(engine);
  return engine;
};
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});

const summaries = (tasks: TaskState[]) => tasks.map((task) => reasonOf(task) ?? task.summary);
const pidOf = (task: TaskState | undefined) =>
  (task?.output ? (toJson(ValueSchema, task.output) as { pid: number }) : undefined)?.pid;

async function statusOf(engine: EngineUnderTest, expertId: string): Promise<ExpertStatus | undefined> {
  return (await engine.experts.getExpert({ expertId })).expert?.status;
}

/** The 99th percentile of the event loop's delay meanwhile, in milliseconds. */
async function lagDuring(work: () => Promise<unknown>): Promise<number> {
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  await work();
  lag.disable();
  return lag.percentile(99) / 1e6;
}

describe("an expert that crashes", () => {
  test("fails its own task with EXPERT_UNAVAILABLE and no other's, and comes back", async () => {
    const engine = await start("crash", "noisy-stdout");
    const { tasks } = await runTasks(engine, [
      { expert: "CrashExpert", action: "crash" },
      { expert: "NoisyExpert", action: "work" },
    ]);
    expect(summaries(tasks)).toEqual(["EXPERT_UNAVAILABLE", "worked"]);
    expect(tasks[0]?.failure?.message).toBe("CrashExpert@1.0.0#1 ended while it worked on the task (signal SIGSEGV)");
    // It waits until the expert is up again.
    const { tasks: again } = await runTasks(engine, [{ expert: "CrashExpert", action: "work" }]);
    expect(summaries(again)).toEqual(["worked"]);
  });

  test("is given a task again that may be repeated", async () => {
    const engine = await start("crash");
    const retry = { max_attempts: 2, initial_interval: "0.1s" };
    const { tasks } = await runTasks(engine, [
      { expert: "CrashExpert", action: "crash", inputs: { attempts: 1 }, retry },
    ]);
    expect(tasks[0]?.attempts).toBe(2);
    expect(reasonOf(tasks[0])).toBeUndefined();
  });

  test("is quarantined after five crashes in a minute, and its tasks fail at once", async () => {
    const engine = await start("crash");
    const retry = { max_attempts: 5, initial_interval: "0.01s", max_interval: "0.02s" };
    await runTasks(engine, [{ expert: "CrashExpert", action: "crash", retry }]);
    await expect.poll(() => statusOf(engine, "CrashExpert@1.0.0")).toBe(ExpertStatus.OFFLINE);
    const { tasks } = await runTasks(engine, [{ expert: "CrashExpert", action: "work" }]);
    expect(reasonOf(tasks[0])).toBe("EXPERT_UNAVAILABLE");
    expect(tasks[0]?.failure?.message).toContain("it crashed 5 times in 60 s and is not started again");
  });
});

describe("an expert that leaks", () => {
  test("is ended at the limit of its heap, and its engine goes on", async () => {
    const engine = await start("leak");
    const { tasks } = await runTasks(engine, [{ expert: "LeakExpert", action: "leak" }]);
    expect(reasonOf(tasks[0])).toBe("EXPERT_UNAVAILABLE");
    expect(summaries((await runTasks(engine, [{ expert: "LeakExpert", action: "work" }])).tasks)).toEqual(["worked"]);
  });

  test("is ended for memory beside its heap, too", async () => {
    const engine = await start("leak");
    const before = process.memoryUsage().rss;
    const { tasks } = await runTasks(engine, [{ expert: "LeakExpert", action: "leak_buffers" }]);
    expect(reasonOf(tasks[0])).toBe("EXPERT_UNAVAILABLE");
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });
});

describe("an expert that spins", () => {
  test("leaves the engine's event loop alone, is ended when nobody waits for it, and comes back", async () => {
    const engine = await start("spin", "noisy-stdout");
    const seen = new Set<string>();
    const others = async () => {
      for (const end = performance.now() + 2_000; performance.now() < end; )
        for (const summary of summaries((await runTasks(engine, [{ expert: "NoisyExpert", action: "work" }])).tasks))
          seen.add(summary);
    };
    // On a machine that is busy with other tests the loop lags by itself.
    const before = await lagDuring(others);
    const spinning = runTasks(engine, [{ expert: "SpinExpert", action: "spin", timeout: "2s" }]);
    const lag = await lagDuring(others);
    const { tasks } = await spinning;
    expect([...seen]).toEqual(["worked"]);
    expect(reasonOf(tasks[0])).toBe("DEADLINE_EXCEEDED");
    expect(lag).toBeLessThan(Math.max(50, 3 * before));
    // Given at once, while it still spins: it waits until the expert is up again.
    const { tasks: after } = await runTasks(engine, [{ expert: "SpinExpert", action: "work" }]);
    expect(summaries(after)).toEqual(["worked"]);
  });
});

describe("an expert that hangs or lies at its start", () => {
  test("is given ten seconds to say where it listens", async () => {
    const began = performance.now();
    await expect(start("hang-at-start")).rejects.toThrow(/did not say where it listens within 10 s/);
    expect(performance.now() - began).toBeLessThan(12_000);
  });

  test("is refused where Describe says another version than its package", async () => {
    await expect(start("liar")).rejects.toThrow(/Describe says version 9\.9\.9, its package\.json 1\.0\.0/);
  });

  test("is refused where another package has its name", async () => {
    await expect(start("crash", "squatter")).rejects.toThrow(/squatter says that it is CrashExpert, which is crash/);
  });

  test("may print a little before the handshake, and not without end", async () => {
    const engine = await start("noisy-stdout");
    const { tasks } = await runTasks(engine, [{ expert: "NoisyExpert", action: "shout" }]);
    expect(reasonOf(tasks[0])).toBeUndefined();
    expect(engine.log.join("").length).toBeLessThan(200_000);
    await expect(start("endless-stdout")).rejects.toThrow(/printed 64 KiB to standard output, and no handshake/);
  });

  test("is refused where no or too many processes are asked for", async () => {
    await expect(start("crash*0")).rejects.toThrow(/with 1 to 64 processes/);
    await expect(start("crash*65")).rejects.toThrow(/with 1 to 64 processes/);
  });
});

describe("an expert that ignores its deadline", () => {
  // Within 50 ms on a machine that does nothing else: npm run bench -- deadline.
  test("is answered for at the deadline, and its slot is free again", async () => {
    const engine = await start("ignores-deadline");
    await runTasks(engine, [{ expert: "DeafExpert", action: "work" }]);
    const { tasks, events } = await runTasks(engine, [{ expert: "DeafExpert", action: "sit", timeout: "0.5s" }]);
    expect(reasonOf(tasks[0])).toBe("DEADLINE_EXCEEDED");
    const [began = 0, ended = 0] = ["taskStarted", "taskFailed"].map((kind) => {
      const time = events.find((event) => event.kind.case === kind)?.time;
      return Number(time?.seconds) * 1000 + (time?.nanos ?? 0) / 1e6;
    });
    expect(ended - began).toBeLessThan(1_000);
    const { tasks: next } = await runTasks(engine, [{ expert: "DeafExpert", action: "work", timeout: "2s" }]);
    expect(summaries(next)).toEqual(["worked"]);
  });
});

describe("a pool of processes", () => {
  test("shares tasks among its instances, the least busy first", async () => {
    const engine = await start("crash*3");
    const { tasks } = await runTasks(
      engine,
      Array.from({ length: 3 }, () => ({ expert: "CrashExpert", action: "work" })),
    );
    expect(new Set(tasks.map(pidOf)).size).toBe(3);
    const { expert } = await engine.experts.getExpert({ expertId: "CrashExpert@1.0.0" });
    expect(expert).toMatchObject({ placement: "process", maxConcurrentTasks: 12 });
  });

  test("works on with those that are left", async () => {
    const engine = await start("crash*2");
    const work = { expert: "CrashExpert", action: "work" };
    const before = (await runTasks(engine, [work, work])).tasks.map(pidOf);
    await runTasks(engine, [{ expert: "CrashExpert", action: "crash" }]);
    const { tasks } = await runTasks(engine, [work]);
    expect(before).toContain(pidOf(tasks[0]));
  });
});
