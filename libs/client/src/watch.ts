import type { Client } from "@connectrpc/connect";
import type { RunService, WatchRunResponse } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { Backoff, type Patience, persist } from "./retry.ts";

/** One thing that happened: an Event, an Ephemeral or a Heartbeat. */
export type WatchMessage = Exclude<WatchRunResponse["message"], { case: undefined }>;

/** From where, and how long, a run is watched. */
export interface WatchOptions extends Patience {
  /** Events after this sequence number; 0 (all) where absent. */
  readonly afterSeq?: bigint;
  /** Ends the watch; the run goes on. The iterator then throws. */
  readonly signal?: AbortSignal;
  /** Milliseconds without any message, heartbeats included, after which the connection counts as lost; 60,000 where absent. */
  readonly silenceMs?: number;
}

type Runs = Client<typeof RunService>;

/**
 * Follows a run until it ends. A lost connection is taken up again after the last Event that was delivered, so every
 * Event comes exactly once and in order; an Ephemeral may be lost.
 *
 * @throws the server's error where trying again does not help or the patience is over; CANCELLED after an abort
 */
export async function* watchRun(runs: Runs, runId: string, options: WatchOptions = {}): AsyncGenerator<WatchMessage> {
  const backoff = new Backoff(options);
  let seq = options.afterSeq ?? 0n;
  for (;;) {
    try {
      for await (const { message } of heard(runs, { runId, afterSeq: seq }, options)) {
        if (message.case === undefined) continue; // A kind of a newer server.
        backoff.succeeded();
        if (message.case === "event") {
          if (message.value.seq <= seq) continue;
          if (message.value.seq !== seq + 1n) throw gap(seq);
          seq = message.value.seq;
        }
        yield message;
        backoff.succeeded(); // What the reader took is not the server's failure.
        if (message.case === "event" && message.value.kind.case === "runCompleted") return;
      }
      if (await hasEnded(runs, { runId, seq }, options)) return;
      backoff.heard();
      throw reject(Reason.UNAVAILABLE, { message: "The stream ended before the run did." });
    } catch (error) {
      await waitToResume(backoff, error, options.signal);
    }
  }
}

async function waitToResume(backoff: Backoff, error: unknown, signal: AbortSignal | undefined): Promise<void> {
  try {
    await backoff.failed(error, signal);
  } catch (final) {
    throw signal?.aborted ? reject(Reason.CANCELLED, { message: "The watch was ended.", cause: final }) : final;
  }
}

function gap(seq: bigint): Error {
  return reject(Reason.UNAVAILABLE, { message: `The event after number ${seq} is missing from the stream.` });
}

const OPEN: ReadonlySet<RunStatus> = new Set([RunStatus.UNSPECIFIED, RunStatus.RUNNING, RunStatus.PAUSED]);

/** Whether the run has ended with the Event of this number: then a stream without a RunCompleted has left nothing out. */
async function hasEnded(runs: Runs, at: { runId: string; seq: bigint }, options: WatchOptions): Promise<boolean> {
  const { run } = await persist(() => runs.getRun({ runId: at.runId }, { signal: options.signal }), options);
  return run !== undefined && !OPEN.has(run.status) && run.lastSeq <= at.seq;
}

/** The stream of the server, given up when it is silent for too long. */
async function* heard(
  runs: Runs,
  request: { runId: string; afterSeq: bigint },
  { signal, silenceMs = 60_000 }: WatchOptions,
): AsyncGenerator<WatchRunResponse> {
  const silence = new AbortController();
  const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  const timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    for await (const response of runs.watchRun(request, { signal: either })) {
      timer.refresh();
      yield response;
      timer.refresh(); // What the reader took is not the server's silence.
    }
  } catch (error) {
    if (!silence.signal.aborted || signal?.aborted) throw error;
    throw reject(Reason.UNAVAILABLE, { message: `The server was silent for ${silenceMs} ms.`, cause: error });
  } finally {
    clearTimeout(timer);
  }
}
