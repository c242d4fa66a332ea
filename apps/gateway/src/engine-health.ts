import { createClient, type Transport } from "@connectrpc/connect";
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "@odg/proto/grpc/health/v1/health_pb";

/** Milliseconds between two looks at the engine, and for one answer. */
const EVERY_MS = 2000;
const ANSWER_MS = 1000;

/** A look at the engine that goes on until it is stopped. */
export interface EngineHealth {
  /** Whether the engine said, when last asked, that it takes calls. */
  readonly serving: boolean;
  /** Ends the looking. */
  stop(): void;
}

/** Asks the engine over and over whether it takes calls, at first at once; tells every change. */
export function watchEngineHealth(transport: Transport, onChange: (serving: boolean) => void): EngineHealth {
  const health = createClient(HealthService, transport);
  const stopped = new AbortController();
  const state: { serving: boolean | undefined } = { serving: undefined };
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const serving = await health.check({}, { timeoutMs: ANSWER_MS, signal: stopped.signal }).then(
      ({ status }) => status === Status.SERVING,
      // Why it does not answer is said where a call fails for it.
      () => false,
    );
    if (stopped.signal.aborted) return;
    if (serving !== state.serving) onChange(serving);
    state.serving = serving;
    timer = setTimeout(look, EVERY_MS);
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
