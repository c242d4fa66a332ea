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
/** Events that are read at once. */
const PAGE = 1000;

/**
 * Events of a run under way after a place and what comes, until it ends; from the journal where they are not at hand any more.
 *
 * @throws ConnectError with RESUME_EXPIRED
 */
export async function* watchActive(
  run: ActiveRun,
  journal: Journal,
  { afterSeq, signal, clock }: Watching,
): AsyncGenerator<WatchRunResponse> {
  checkPlace(afterSeq, run.tail.lastSeq);
  const subscription = run.feed.subscribe();
  try {
    for (let last = afterSeq; ; ) {
      for (const ephemeral of subscription.takeEphemerals()) {
        yield create(WatchRunResponseSchema, { message: { case: "ephemeral", value: ephemeral } });
      }
      while (last < run.tail.lastSeq && !signal.aborted) {
        for (const event of run.tail.after(last) ?? (await journal.readEvents(run.runId, last, PAGE))) {
          yield eventMessage(event);
          last = event.seq;
        }
      }
      if (signal.aborted || run.stopped) return;
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
  const [place] = await journal.readEvents(runId, afterSeq === 0n ? 0n : afterSeq - 1n, 1);
  if (!place) await refusePlace(journal, runId, afterSeq);
  let last = afterSeq;
  let ended = afterSeq > 0n && place?.kind.case === "runCompleted";
  for (let heardAt = clock.now(); !ended && !signal.aborted; ) {
    const events = await journal.readEvents(runId, last, PAGE);
    for (const event of events) {
      yield eventMessage(event);
      last = event.seq;
      ended = event.kind.case === "runCompleted";
    }
    if (events.length > 0) {
      heardAt = clock.now();
      if (events.length === PAGE) continue;
    }
    if (ended) return;
    await pause(clock, signal);
    if (clock.now() - heardAt < HEARTBEAT_MS) continue;
    yield heartbeat(clock);
    heardAt = clock.now();
  }
}

/** There is no event at that place: nor such a run, or it has not come that far. */
async function refusePlace(journal: Journal, runId: string, afterSeq: bigint): Promise<void> {
  const [first] = await journal.readEvents(runId, 0n, 1);
  if (!first) throw reject(Reason.NOT_FOUND, { message: "there is no such run", field: "run_id" });
  checkPlace(afterSeq, first.seq);
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

function checkPlace(afterSeq: bigint, lastSeq: bigint): void {
  if (afterSeq <= lastSeq) return;
  throw reject(Reason.RESUME_EXPIRED, {
    message: `the run has no event ${afterSeq} to go on after`,
    field: "after_seq",
  });
}

function eventMessage(event: Event): WatchRunResponse {
  return create(WatchRunResponseSchema, { message: { case: "event", value: event } });
}
