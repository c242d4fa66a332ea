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
import type { ActiveRun } from "./active-run.ts";

/** From where, how long and by which clock a run is watched. */
export interface Watching {
  afterSeq: bigint;
  signal: AbortSignal;
  clock: Clock;
}

/** Silence on a watched stream, at most. */
const HEARTBEAT_MS = 15_000;

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

/** What a journal holds after a place. @throws ConnectError with RESUME_EXPIRED. */
export function* watchJournal(events: readonly Event[], afterSeq: bigint): Generator<WatchRunResponse> {
  checkPlace(afterSeq, events.length);
  for (const event of events.slice(Number(afterSeq))) yield eventMessage(event);
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
