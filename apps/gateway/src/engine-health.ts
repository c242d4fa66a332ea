import { createClient, type Transport } from "@connectrpc/connect";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";

/** How often, and for how long, the engine is asked; in milliseconds. */
export interface Rhythm {
  /** Between an answer and the next question. */
  readonly everyMs: number;
  /** Time for one answer. */
  readonly answerMs: number;
}

const RHYTHM: Rhythm = { everyMs: 2000, answerMs: 1000 };
/** Answers in a row that may be late before the engine counts as away: a busy one is not gone. */
const LATE_ALLOWED = 2;

/** A look at the engine that goes on until it is stopped. */
export interface EngineHealth {
  /** Whether the engine said, when last asked, that it takes calls. */
  readonly serving: boolean;
  /** Ends the looking. */
  stop(): void;
}

/** Asks the engine over and over whether it takes calls, at first at once; tells every change. */
export function watchEngineHealth(
  transport: Transport,
  onChange: (serving: boolean) => void,
  { everyMs, answerMs }: Rhythm = RHYTHM,
): EngineHealth {
  const health = createClient(HealthService, transport);
  const stopped = new AbortController();
  const state: { serving: boolean | undefined } = { serving: undefined };
  let timer: NodeJS.Timeout | undefined;
  let late = 0;
  const ask = async (): Promise<boolean> => {
    try {
      const { status } = await health.check({}, { timeoutMs: answerMs, signal: stopped.signal });
      late = 0;
      return status === Status.SERVING;
    } catch (error) {
      // Why it cannot be reached is said where a call fails for it.
      late = reasonOf(error) === Reason.DEADLINE_EXCEEDED ? late + 1 : 0;
      return state.serving === true && late > 0 && late <= LATE_ALLOWED;
    }
  };
  const look = async () => {
    const serving = await ask();
    if (stopped.signal.aborted) return;
    if (serving !== state.serving) onChange(serving);
    state.serving = serving;
    timer = setTimeout(look, everyMs);
  };
  void look();
  return {
    get serving() {
      return state.serving ?? false;
    },
    stop: () => {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}
