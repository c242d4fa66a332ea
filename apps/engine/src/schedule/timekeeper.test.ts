// Schedules by a clock that the test turns: several engines on one store, which die where it hurts.
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type StartRunRequest, StartRunRequestSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Clock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import { MemorySchedules } from "../store/schedules.ts";
import { timesOf } from "./cron.ts";
import { requestIdOf, type ScheduledRuns, Timekeeper } from "./timekeeper.ts";
import { changed } from "./turn.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-06-01T09:30:00Z");

class TurnedClock implements Clock {
  ms = START;
  now = () => this.ms;
  random = () => 0.5;
  after = () => () => undefined;
}

/** Runs as a store of several engines keeps them: one for each request id. */
class Ledger implements ScheduledRuns {
  started: { runId: string; requestId: string; scheduleId: string; request: StartRunRequest }[] = [];
  open = new Set<string>();
  cancelled: string[] = [];
  /** What the next start does before or after it has begun a run. */
  fault: { before?: Error; after?: Error } = {};

  async start(request: StartRunRequest, scheduleId: string): Promise<string> {
    const { before, after } = this.fault;
    this.fault = {};
    if (before) throw before;
    const first = await this.begunBy(request.requestId);
    const runId = first ?? `run-${this.started.length + 1}`;
    if (!first) this.started.push({ runId, requestId: request.requestId, scheduleId, request });
    this.open.add(runId);
    if (after) throw after;
    return runId;
  }
  async begunBy(requestId: string): Promise<string | undefined> {
    return this.started.find((one) => one.requestId === requestId)?.runId;
  }
  async isOpen(runId: string): Promise<boolean> {
    return this.open.has(runId);
  }
  async cancel(runId: string): Promise<void> {
    this.cancelled.push(runId);
    this.open.delete(runId);
  }
}

let clock: TurnedClock;
let runs: Ledger;
let schedules: MemorySchedules;
beforeEach(() => {
  clock = new TurnedClock();
  runs = new Ledger();
  schedules = new MemorySchedules();
});

const logger = createLogger("silent");
const engine = () => new Timekeeper({ schedules, runs, clock, logger });

async function keep(overlap = "", cron = "0 * * * *"): Promise<string> {
  const wanted = create(ScheduleSchema, { scheduleId: "nightly", cron, workflowId: "w", overlap });
  const times = timesOf(cron, "UTC");
  if ("field" in times) throw new Error(times.message);
  const first = { schedule: create(ScheduleSchema), uid: randomUUID(), revision: 1 };
  await schedules.add(changed(first, { wanted, nowMs: clock.ms, times }));
  return first.uid;
}

async function look(...keepers: Timekeeper[]): Promise<void> {
  for (const one of keepers) await one.look();
  for (const one of keepers) await one.idle();
}

const shown = async () => (await schedules.get("nightly"))?.schedule;
const wait = (ms: number) => {
  clock.ms += ms;
};

describe("a schedule", () => {
  it("begins its run at its time, with a request id made of the schedule and the time", async () => {
    const uid = await keep();
    await look(engine());
    expect(runs.started).toEqual([]);
    wait(30 * MINUTE);
    await look(engine());
    expect(runs.started).toHaveLength(1);
    expect(runs.started[0]?.requestId).toBe(requestIdOf({ uid }, Date.parse("2026-06-01T10:00:00Z")));
    expect(runs.started[0]?.request).toMatchObject({ source: { value: "w" }, labels: { schedule: "nightly" } });
    expect(await shown()).toMatchObject({ lastRunId: "run-1", lastFailure: "", skippedCount: 0n });
  });

  it("begins one run for each time, however many engines look at once", async () => {
    await keep("allow");
    const engines = Array.from({ length: 5 }, engine);
    for (let hour = 0; hour < 4; hour++) {
      wait(hour === 0 ? 30 * MINUTE : 60 * MINUTE);
      await Promise.all(engines.map((one) => look(one)));
    }
    expect(runs.started).toHaveLength(4);
    expect((await shown())?.skippedCount).toBe(0n);
  });

  it("begins no second run where the engine dies behind the start, and the next engine names the first", async () => {
    await keep();
    wait(30 * MINUTE);
    // A dead engine writes nothing more: its store refuses.
    const dying = new Timekeeper({ schedules: deadAfterClaim(), runs, clock, logger });
    await look(dying);
    expect(runs.started).toHaveLength(1);
    expect((await shown())?.lastRunId).toBe("");
    await look(engine());
    expect(runs.started).toHaveLength(1);
    wait(MINUTE);
    await look(engine());
    expect(runs.started).toHaveLength(1);
    expect((await shown())?.lastRunId).toBe("run-1");
  });

  it("loses no time where the engine dies between claim and start", async () => {
    await keep();
    wait(30 * MINUTE);
    runs.fault = { before: new Error("killed") };
    await look(new Timekeeper({ schedules: deadAfterClaim(), runs, clock, logger }));
    expect(runs.started).toEqual([]);
    wait(MINUTE);
    await look(engine());
    expect(runs.started).toHaveLength(1);
    expect((await shown())?.lastTime?.seconds).toBe(BigInt(Date.parse("2026-06-01T10:00:00Z") / 1000));
  });

  it("tries a time again while a part of the engine is away, and says so", async () => {
    await keep();
    wait(30 * MINUTE);
    runs.fault = { before: reject(Reason.UNAVAILABLE, { message: "the store does not answer" }) };
    await look(engine());
    expect(await shown()).toMatchObject({ lastRunId: "", lastFailure: "the store does not answer" });
    wait(5000);
    await look(engine());
    expect(await shown()).toMatchObject({ lastRunId: "run-1", lastFailure: "" });
  });

  it("says why its run was refused, and waits for the next time", async () => {
    await keep();
    wait(30 * MINUTE);
    runs.fault = { before: reject(Reason.NOT_FOUND, { message: "there is no published workflow" }) };
    await look(engine());
    wait(10 * MINUTE);
    await look(engine());
    expect(runs.started).toEqual([]);
    expect((await shown())?.lastFailure).toBe("there is no published workflow");
    wait(50 * MINUTE);
    await look(engine());
    expect(await shown()).toMatchObject({ lastRunId: "run-1", lastFailure: "" });
  });

  it("takes the first run where the schedule was changed between two starts for one time", async () => {
    const uid = await keep();
    wait(30 * MINUTE);
    await runs.start(create(StartRunRequestSchema, { requestId: requestIdOf({ uid }, clock.ms) }), "nightly");
    runs.fault = { before: reject(Reason.IDEMPOTENCY_CONFLICT) };
    await look(engine());
    expect(await shown()).toMatchObject({ lastRunId: "run-1", lastFailure: "" });
  });

  it("skips, queues or cancels as it is told while its run goes on", async () => {
    await keep("cancel");
    wait(30 * MINUTE);
    await look(engine());
    wait(60 * MINUTE);
    await look(engine());
    expect(runs.cancelled).toEqual(["run-1"]);
    expect(runs.started).toHaveLength(2);
  });

  it("begins the time that waited as soon as the run before has ended", async () => {
    await keep("queue");
    wait(30 * MINUTE);
    await look(engine());
    wait(60 * MINUTE);
    await look(engine());
    expect(runs.started).toHaveLength(1);
    runs.open.delete("run-1");
    wait(1000);
    await look(engine());
    expect(runs.started).toHaveLength(2);
  });

  it("begins no time twice when the clock jumps an hour ahead and back", async () => {
    await keep("allow");
    wait(30 * MINUTE);
    await look(engine());
    wait(60 * MINUTE);
    await look(engine());
    wait(-60 * MINUTE);
    await look(engine());
    wait(59 * MINUTE);
    await look(engine());
    expect(runs.started.map(({ requestId }) => requestId)).toHaveLength(2);
    expect(new Set(runs.started.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it("says once that the store is away, and begins what was missed when it is back", async () => {
    const store = new Unreadable();
    schedules = store;
    await keep();
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const ticks: (() => void)[] = [];
    const after: Clock["after"] = (_, tick) => {
      ticks.push(tick);
      return () => undefined;
    };
    const ticking = { now: clock.now, random: clock.random, after };
    const keeper = new Timekeeper({ schedules, runs, clock: ticking, logger: createLogger("info", stream) });
    keeper.start();
    const tick = async () => {
      const before = ticks.length;
      ticks.at(-1)?.();
      await vi.waitFor(() => expect(ticks.length).toBe(before + 1));
      await keeper.idle();
    };
    wait(30 * MINUTE);
    for (let n = 0; n < 3; n++) await tick();
    expect(lines.filter((line) => line.includes("cannot be read"))).toHaveLength(1);
    store.away = false;
    await tick();
    expect(lines.filter((line) => line.includes("can be read again"))).toHaveLength(1);
    expect(runs.started).toHaveLength(1);
    await keeper.close();
  });

  it("stops beginning runs once its engine closes", async () => {
    await keep();
    wait(30 * MINUTE);
    const one = engine();
    await one.close();
    await look(one);
    expect(runs.started).toEqual([]);
  });
});

/** A store that does not answer while it is away. */
class Unreadable extends MemorySchedules {
  away = true;

  override async due(nowMs: number, limit: number) {
    if (this.away) throw new Error("the store does not answer");
    return super.due(nowMs, limit);
  }
}

/** A step of the test below: the clock moves, or an engine looks, and may die at some point. */
const step = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), minutes: fc.integer({ min: -70, max: 130 }) }),
  fc.record({ do: fc.constant("look" as const), dies: fc.constantFrom("never", "before", "after") }),
  fc.record({ do: fc.constant("end" as const) }),
);

describe("schedules under any order of looks, deaths and clocks", () => {
  it.each(["skip", "allow", "queue", "cancel"])(
    "with %s begin one run for a time, and account for every time",
    async (overlap) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          [clock, runs, schedules] = [new TurnedClock(), new Ledger(), new MemorySchedules()];
          const uid = await keep(overlap, "*/15 * * * *");
          let latest = clock.ms;
          for (const one of steps) {
            if (one.do === "wait") wait(one.minutes * MINUTE);
            else if (one.do === "end") runs.open.clear();
            else {
              latest = Math.max(latest, clock.ms);
              await lookAndDie(one.dies);
            }
          }
          // Two engines that live settle whatever was left.
          for (let n = 0; n < 3; n++) {
            clock.ms = latest += MINUTE;
            runs.open.clear();
            await look(engine(), engine());
          }
          const ids = runs.started.map(({ requestId }) => requestId);
          expect(new Set(ids).size).toBe(ids.length);
          const passed: string[] = [];
          for (let at = Math.ceil((START + 1) / (15 * MINUTE)) * 15 * MINUTE; at <= latest; at += 15 * MINUTE) {
            passed.push(requestIdOf({ uid }, at));
          }
          expect(ids.filter((id) => !passed.includes(id))).toEqual([]);
          expect(BigInt(ids.length) + ((await shown())?.skippedCount ?? 0n)).toBe(BigInt(passed.length));
        }),
        { numRuns: 150 },
      );
    },
  );
});

async function lookAndDie(dies: string): Promise<void> {
  if (dies === "never") return look(engine());
  runs.fault = dies === "before" ? { before: new Error("killed") } : { after: new Error("killed") };
  await look(new Timekeeper({ schedules: deadAfterClaim(), runs, clock, logger }));
  runs.fault = {};
}

/** The store as an engine sees it that dies once it has claimed a time: nothing that it writes after that arrives. */
function deadAfterClaim(): MemorySchedules {
  let dead = false;
  return new Proxy(schedules, {
    get(target, name) {
      if (name !== "replace") return Reflect.get(target, name, target).bind(target);
      return async (kept: Parameters<MemorySchedules["replace"]>[0]) => {
        if (dead) throw new Error("killed");
        dead = kept.firingMs !== undefined;
        return target.replace(kept);
      };
    },
  });
}
