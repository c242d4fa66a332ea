import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { describe, expect, it } from "vitest";
import type { KeptSchedule } from "../store/schedules.ts";
import { type Times, timesOf } from "./cron.ts";
import { begun, CLAIM_MS, changed, refused, type Sight, turnOf } from "./turn.ts";

type Init = MessageInitShape<typeof ScheduleSchema> & { $typeName?: never };

const at = (time: string) => Date.parse(`2026-06-01T${time}Z`);
const clock = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(11, 16));
const hourly = times("0 * * * *");

function times(cron: string): Times {
  const read = timesOf(cron, "UTC");
  if ("field" in read) throw new Error(read.message);
  return read;
}

/** An hourly schedule whose next time is 10:00. */
function kept(schedule: Init = {}, rest: Partial<KeptSchedule> = {}): KeptSchedule {
  const init = { scheduleId: "s", cron: "0 * * * *", nextTime: timestampFromMs(at("10:00:00")), ...schedule };
  return { schedule: create(ScheduleSchema, init), uid: "u", revision: 1, ...rest };
}

function turn(before: KeptSchedule, now: string, sight: Partial<Sight> = {}) {
  const made = turnOf(before, { nowMs: at(now), times: hourly, busy: false, ...sight });
  const { schedule, firingMs, queuedMs, wakeMs } = made.kept;
  return {
    kept: made.kept,
    fires: clock(made.fireMs),
    claimed: clock(firingMs),
    queued: clock(queuedMs),
    skipped: Number(schedule.skippedCount),
    next: schedule.nextTime && timestampDate(schedule.nextTime).toISOString().slice(11, 16),
    wake: wakeMs,
  };
}

describe("the turn of a schedule", () => {
  it("does nothing before its time, and looks again then", () => {
    expect(turn(kept(), "09:59:59.999")).toMatchObject({ fires: undefined, next: "10:00", wake: at("10:00:00") });
  });

  it("claims its time and moves on to the next one", () => {
    expect(turn(kept(), "10:00:00")).toMatchObject({ fires: "10:00", claimed: "10:00", next: "11:00", skipped: 0 });
  });

  it("begins one run for the newest of the times that nobody was there for, and counts the others", () => {
    expect(turn(kept(), "14:30:00")).toMatchObject({ fires: "14:00", next: "15:00", skipped: 4 });
  });

  it("never goes back with the clock", () => {
    const ahead = begun(turn(kept(), "11:05:00").kept, { runId: "r", nowMs: at("11:05:00") });
    expect(turn(ahead, "10:05:00")).toMatchObject({ fires: undefined, next: "12:00" });
    expect(turn(ahead, "11:30:00")).toMatchObject({ fires: undefined });
    expect(turn(ahead, "12:00:00")).toMatchObject({ fires: "12:00" });
  });

  it("lets nobody else look while a time is claimed, and takes the time up after that", () => {
    const claimed = turn(kept(), "10:00:00");
    expect(claimed.wake).toBe(at("10:00:00") + CLAIM_MS);
    expect(turn(claimed.kept, "10:00:30")).toMatchObject({ fires: "10:00", skipped: 0 });
    expect(turn(claimed.kept, "11:00:00")).toMatchObject({ fires: "11:00", skipped: 1, next: "12:00" });
  });

  it("skips a time while the run before goes on", () => {
    for (const overlap of ["", "skip"]) {
      expect(turn(kept({ overlap }), "10:00:00", { busy: true })).toMatchObject({ fires: undefined, skipped: 1 });
    }
  });

  it("begins it all the same where runs may overlap, or the one before is cancelled", () => {
    for (const overlap of ["allow", "cancel"]) {
      expect(turn(kept({ overlap }), "10:00:00", { busy: true })).toMatchObject({ fires: "10:00", skipped: 0 });
    }
  });

  it("lets one time wait, drops what comes meanwhile, and begins the one that waited", () => {
    const waits = turn(kept({ overlap: "queue" }), "10:00:00", { busy: true });
    expect(waits).toMatchObject({ fires: undefined, queued: "10:00", skipped: 0 });
    expect(waits.wake).toBe(at("10:00:01"));
    const drops = turn(waits.kept, "11:00:00", { busy: true });
    expect(drops).toMatchObject({ fires: undefined, queued: "10:00", skipped: 1 });
    expect(turn(drops.kept, "11:20:00")).toMatchObject({ fires: "10:00", queued: undefined, skipped: 1 });
    expect(turn(waits.kept, "11:00:00")).toMatchObject({ fires: "10:00", queued: "11:00", skipped: 0 });
  });

  it("goes on with what waits where the owner wants no queue any more", () => {
    const waits = turn(kept({ overlap: "queue" }), "10:00:00", { busy: true }).kept;
    waits.schedule.overlap = "skip";
    expect(turn(waits, "10:10:00")).toMatchObject({ fires: "10:00", queued: undefined });
  });

  it("counts no more than a thousand missed times at once, and still finds the newest", () => {
    const minutes = kept({ cron: "* * * * *" });
    const late = turnOf(minutes, { nowMs: at("10:00:00") + 30 * 86_400_000, times: times("* * * * *"), busy: false });
    expect(late.fireMs).toBe(at("10:00:00") + 30 * 86_400_000);
    expect(Number(late.kept.schedule.skippedCount)).toBe(1000);
  });
});

describe("what comes of a claimed time", () => {
  it("is the run and its time, or the reason why there is none", () => {
    const claimed = turn(kept({ lastFailure: "before" }), "10:00:00").kept;
    const well = begun(claimed, { runId: "r", nowMs: at("10:00:01") });
    expect(well).toMatchObject({ firingMs: undefined, wakeMs: at("11:00:00") });
    expect(well.schedule).toMatchObject({ lastRunId: "r", lastFailure: "" });
    expect(well.schedule.lastTime).toEqual(timestampFromMs(at("10:00:00")));
    const badly = refused(claimed, { message: "no expert", again: false, nowMs: at("10:00:01") });
    expect(badly).toMatchObject({ firingMs: undefined, wakeMs: at("11:00:00") });
    expect(badly.schedule).toMatchObject({ lastRunId: "", lastFailure: "no expert" });
    expect(badly.schedule.lastTime).toBeUndefined();
    const later = refused(claimed, { message: "away", again: true, nowMs: at("10:00:01") });
    expect(later).toMatchObject({ firingMs: at("10:00:00"), wakeMs: at("10:00:06") });
  });
});

describe("a change by the owner", () => {
  const change = (before: KeptSchedule, wanted: Init, now = "10:30:00") =>
    changed(before, {
      wanted: create(ScheduleSchema, { scheduleId: "s", cron: before.schedule.cron, ...wanted }),
      nowMs: at(now),
      times: times(wanted.cron ?? before.schedule.cron),
    });

  it("keeps a time that has come and nobody has seen yet, unless the clock is another one", () => {
    expect(change(kept(), { overlap: "allow" }).schedule.nextTime).toEqual(timestampFromMs(at("10:00:00")));
    expect(change(kept(), { cron: "*/20 * * * *" }).schedule.nextTime).toEqual(timestampFromMs(at("10:40:00")));
  });

  it("leaves what the engine has written", () => {
    const before = kept({ lastRunId: "r", skippedCount: 3n, lastTime: timestampFromMs(1), lastFailure: "f" });
    const { schedule } = change(before, { lastRunId: "forged", skippedCount: 0n });
    expect(schedule).toMatchObject({ lastRunId: "r", skippedCount: 3n, lastFailure: "f" });
  });

  it("pauses and goes on with the next time, without those in between", () => {
    const paused = change(kept({}, { queuedMs: at("09:00:00") }), { paused: true });
    expect(paused).toMatchObject({ wakeMs: undefined, queuedMs: undefined });
    expect(paused.schedule.nextTime).toBeUndefined();
    const resumed = change(paused, { paused: false }, "13:30:00");
    expect(resumed.wakeMs).toBe(at("14:00:00"));
    expect(Number(resumed.schedule.skippedCount)).toBe(0);
  });
});
