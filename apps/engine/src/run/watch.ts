import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  HeartbeatSchema,
  type WatchRunResponse,
  WatchRunResponseSchema,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Event } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import type { Clock } from "../clock.ts";
import type { Journal } from "../store/store.ts";
import type { ActiveRun } from "./active-run.ts";

/** From where, how long and by which clock a run is watched. */
export interface Watching {
  afterSeq: bigint;
  signal: AbortSignal;
  clock: Clock;
}

/** Silence on a watched stream, at most. */
const HEARTBEAT_MS = 15_000;
/** Between two looks at the journal of a run that another engine drives. */
const POLL_MS = 250;

/** Events of a run under way after a place and what comes, until it ends. @throws ConnectError with RESUME_EXPIRED. */
export async function* watchActive(
  run: ActiveRun,
  { afterSeq, signal, clock }: Watching,
): AsyncGenerator<WatchRunResponse> {
  checkPlace(afterSeq, run.events.length);
  const subscription = run.feed.subscribe();
  try {
    for (let next = Number(afterSeq); ; ) {
      for (const ephemeral of subscription.takeEphemerals()) {
        yield create(WatchRunResponseSchema, { message: { case: "ephemeral", value: ephemeral } });
      }
      for (let event = run.events[next]; event; event = run.events[next]) {
        next++;
        yield eventMessage(event);
      }
      if (signal.aborted || (run.stopped && next >= run.events.length)) return;
      if (!(await subscription.news(HEARTBEAT_MS, signal))) yield heartbeat(clock);
    }
  } finally {
    run.feed.unsubscribe(subscription);
  }
}

/**
 * Events of a run that this engine does not drive: what the journal holds after a place, then what another engine that shares the
 * store appends, until the run ends.
 *
 * @throws ConnectError with NOT_FOUND or RESUME_EXPIRED
 */
export async function* watchJournal(
  journal: Journal,
  runId: string,
  { afterSeq, signal, clock }: Watching,
): AsyncGenerator<WatchRunResponse> {
  const before = await journal.readEvents(runId, 0n);
  if (before.length === 0) throw reject(Reason.NOT_FOUND, { message: "there is no such run", field: "run_id" });
  checkPlace(afterSeq, before.length);
  let last = before.at(-1);
  let events = before.slice(Number(afterSeq));
  for (let heardAt = clock.now(); ; events = await journal.readEvents(runId, last?.seq ?? 0n)) {
    for (const event of events) {
      yield eventMessage(event);
      last = event;
      heardAt = clock.now();
    }
    if (signal.aborted || last?.kind.case === "runCompleted") return;
    await pause(clock, signal);
    if (clock.now() - heardAt < HEARTBEAT_MS) continue;
    yield heartbeat(clock);
    heardAt = clock.now();
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      callOff();
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const callOff = clock.after(POLL_MS, wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}

function heartbeat(clock: Clock): WatchRunResponse {
  const value = create(HeartbeatSchema, { time: timestampFromMs(clock.now()) });
  return create(WatchRunResponseSchema, { message: { case: "heartbeat", value } });
}

function checkPlace(afterSeq: bigint, count: number): void {
  if (afterSeq <= BigInt(count)) return;
  throw reject(Reason.RESUME_EXPIRED, {
    message: `the run has ${count} events; there is nothing after ${afterSeq}`,
    field: "after_seq",
  });
}

function eventMessage(event: Event): WatchRunResponse {
  return create(WatchRunResponseSchema, { message: { case: "event", value: event } });
}
