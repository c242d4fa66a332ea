import { clone } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Schedule, ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import type { KeptSchedule } from "../store/schedules.ts";
import type { Times } from "./cron.ts";

/** How long an engine may take to start a run before another one does it in its place: with the same request id, so that it is one run. */
export const CLAIM_MS = 30_000;
/** Between two looks at a run that a time waits for. */
const QUEUE_POLL_MS = 1000;
/** Wait before a run is started again that could not be, because a part of the engine was away. */
const AGAIN_MS = 5000;
/** Times that nobody was there for are counted up to this at once: counting a year of minutes would hold up the others. */
const MOST_MISSED = 1000;

/** What is known when a schedule is looked at. */
export interface Sight {
  nowMs: number;
  times: Times;
  /** Whether the run that it began last has not ended. */
  busy: boolean;
}

/** What becomes of a schedule that was looked at. */
export interface Turn {
  kept: KeptSchedule;
  /** The time for which a run has to be started now. */
  fireMs?: number;
}

/**
 * Decides what a schedule does now. Of several times that have passed, the newest counts. Pure: the same sight, the same turn. A time that
 * was claimed and began no run is claimed again here, unless a newer one has come.
 */
export function turnOf(before: KeptSchedule, { nowMs, times, busy }: Sight): Turn {
  const kept = copyOf(before);
  const { schedule } = kept;
  const passed = takePassed(schedule, { nowMs, times });
  const claimed = kept.firingMs;
  kept.firingMs = undefined;
  let target = passed.last ?? claimed;
  drop(schedule, passed.last === undefined ? 0 : passed.count - 1 + (claimed === undefined ? 0 : 1));
  if (schedule.overlap === "queue" || kept.queuedMs !== undefined) {
    target = throughQueue(kept, { target, busy });
  } else if (target !== undefined && busy && (schedule.overlap === "" || schedule.overlap === "skip")) {
    drop(schedule, 1);
    target = undefined;
  }
  kept.firingMs = target;
  kept.wakeMs = wakeOf(kept, nowMs);
  return target === undefined ? { kept } : { kept, fireMs: target };
}

/** A schedule whose time began a run. */
export function begun(before: KeptSchedule, { runId, nowMs }: { runId: string; nowMs: number }): KeptSchedule {
  const kept = copyOf(before);
  kept.schedule.lastRunId = runId;
  if (kept.firingMs !== undefined) kept.schedule.lastTime = timestampFromMs(kept.firingMs);
  kept.schedule.lastFailure = "";
  kept.firingMs = undefined;
  return { ...kept, wakeMs: wakeOf(kept, nowMs) };
}

/** A schedule whose time began no run: it is tried again where that may help. */
export function refused(
  before: KeptSchedule,
  { message, again, nowMs }: { message: string; again: boolean; nowMs: number },
): KeptSchedule {
  const kept = copyOf(before);
  kept.schedule.lastFailure = message;
  if (again) return { ...kept, wakeMs: nowMs + AGAIN_MS };
  kept.firingMs = undefined;
  return { ...kept, wakeMs: wakeOf(kept, nowMs) };
}

/** A schedule that cannot be read any more: nobody looks at it until its owner changes it. */
export function unreadable(before: KeptSchedule, message: string): KeptSchedule {
  const kept = copyOf(before);
  kept.schedule.lastFailure = message;
  kept.schedule.nextTime = undefined;
  return { ...kept, firingMs: undefined, queuedMs: undefined, wakeMs: undefined };
}

/** A schedule as its owner wants it now. A time that is being worked for stays; where the clock counts anew, so does the next time. */
export function changed(
  before: KeptSchedule,
  { wanted, nowMs, times }: { wanted: Schedule; nowMs: number; times: Times },
): KeptSchedule {
  const old = before.schedule;
  const { paused, cron, timeZone } = wanted;
  const sameClock = !old.paused && old.cron === cron && old.timeZone === timeZone;
  const next = sameClock && old.nextTime ? timestampMs(old.nextTime) : times.after(nowMs);
  const schedule = copyOf({ ...before, schedule: wanted }).schedule;
  schedule.lastRunId = old.lastRunId;
  schedule.lastTime = old.lastTime;
  schedule.skippedCount = old.skippedCount;
  schedule.lastFailure = old.lastFailure;
  schedule.nextTime = paused || next === undefined ? undefined : timestampFromMs(next);
  const kept = { ...before, schedule, queuedMs: paused ? undefined : before.queuedMs };
  return { ...kept, wakeMs: wakeOf(kept, nowMs) };
}

/** Takes the times that have passed off the schedule, and names the next one. */
function takePassed(schedule: Schedule, { nowMs, times }: Pick<Sight, "nowMs" | "times">): ReturnType<Times["within"]> {
  const next = schedule.nextTime && timestampMs(schedule.nextTime);
  if (next === undefined || next > nowMs) return { count: 0, last: undefined };
  const after = times.within(next, nowMs, MOST_MISSED);
  const following = times.after(nowMs);
  schedule.nextTime = following === undefined ? undefined : timestampFromMs(following);
  return { count: after.count + 1, last: after.last ?? next };
}

/** One time may wait for the end of the run before; what comes while it waits is dropped. */
function throughQueue(kept: KeptSchedule, now: { target: number | undefined; busy: boolean }): number | undefined {
  const waiting = [kept.queuedMs, now.target].filter((time) => time !== undefined);
  const first = now.busy ? undefined : waiting.shift();
  kept.queuedMs = waiting.shift();
  drop(kept.schedule, waiting.length);
  return first;
}

function drop(schedule: Schedule, count: number): void {
  schedule.skippedCount += BigInt(count);
}

/** While a time is claimed nobody else looks: further times wait until its run is known to have begun, or the claim is over. */
function wakeOf({ schedule, firingMs, queuedMs }: KeptSchedule, nowMs: number): number | undefined {
  if (firingMs !== undefined) return nowMs + CLAIM_MS;
  return earliest(
    schedule.nextTime && timestampMs(schedule.nextTime),
    queuedMs === undefined ? undefined : nowMs + QUEUE_POLL_MS,
  );
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function copyOf(kept: KeptSchedule): KeptSchedule {
  return { ...kept, schedule: clone(ScheduleSchema, kept.schedule) };
}
