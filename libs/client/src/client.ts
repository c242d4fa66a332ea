import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient as createServiceClient, type Transport } from "@connectrpc/connect";
import { ExpertCatalogService } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { RunService, StartRunRequestSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { ScheduleService } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Ephemeral, Event, Run } from "@odg/proto/odg/run/v1/run_pb";
import { asUser, type ConnectTransportOptions, connectTransport, reject } from "@odg/rpc";
import { balancedTransport } from "./balanced.ts";
import { type Patience, persist } from "./retry.ts";
import { type WatchMessage, type WatchOptions, watchRun } from "./watch.ts";

/**
 * How a client reaches the engine: by URL, by the URLs of several engines that share one store, or by a transport that is there
 * already, such as one in this process.
 */
export type ClientOptions = (
  | ({ readonly url: string } & ConnectTransportOptions)
  | ({ readonly urls: readonly [string, ...string[]] } & ConnectTransportOptions)
  | { readonly transport: Transport }
) & {
  /** Who asks, as the engine is told with every call; nobody where absent. There is no sign-in: the engine believes it. */
  readonly user?: string;
};

/** What to do while a run goes on. */
export interface RunAndWaitOptions extends Patience {
  /** Stops waiting; the run goes on, and `watch` takes it up again. `runs.cancelRun` cancels it. */
  readonly signal?: AbortSignal;
  /** Told the run as soon as it is accepted. */
  readonly onStart?: (run: Run) => void;
  /** Told each Event, once and in order. */
  readonly onEvent?: (event: Event) => void;
  /** Told what happens in passing; some may be lost. */
  readonly onEphemeral?: (ephemeral: Ephemeral) => void;
  /** As {@link WatchOptions.silenceMs}. */
  readonly silenceMs?: number;
}

/** A client of the engine. */
export interface OdgClient {
  /** Workflows: check, plan, publish, read. */
  readonly workflows: Client<typeof WorkflowService>;
  /** Runs: start, read, watch, cancel; as on the wire, without resuming. */
  readonly runs: Client<typeof RunService>;
  /** The experts that the engine knows. */
  readonly experts: Client<typeof ExpertCatalogService>;
  /** Runs that begin by the clock. */
  readonly schedules: Client<typeof ScheduleService>;
  /**
   * Starts a run. It bears a `request_id` (a new UUID where the request has none), so that it is safe to repeat and is
   * repeated while the engine does not answer.
   *
   * @throws the engine's refusal, as a ConnectError: `failureOf` reads it
   */
  startRun(request: MessageInitShape<typeof StartRunRequestSchema>, options?: StartOptions): Promise<Run>;
  /**
   * Starts a run and waits for its end, through lost connections. A run that fails is no error here: look at its status.
   *
   * @returns the run as it ended, with its tasks
   * @throws the engine's refusal; CANCELLED after an abort
   */
  runAndWait(request: MessageInitShape<typeof StartRunRequestSchema>, options?: RunAndWaitOptions): Promise<Run>;
  /** Follows a run until it ends: every Event once and in order, through lost connections. */
  watch(runId: string, options?: WatchOptions): AsyncIterable<WatchMessage>;
  /** Ends the connections that the client opened by URL; a transport that it was given stays open. */
  close(): void;
}

/** How a run is started. */
export interface StartOptions extends Patience {
  /** Stops trying. */
  readonly signal?: AbortSignal;
}

/** A client of the engine; it connects with its first call. */
export function createClient(options: ClientOptions): OdgClient {
  const { transport: bare, close } = transportOf(options);
  const transport = options.user === undefined ? bare : asUser(bare, options.user);
  const runs = createServiceClient(RunService, transport);
  const startRun: OdgClient["startRun"] = (request, start = {}) => acceptedRun(runs, request, start);
  return {
    workflows: createServiceClient(WorkflowService, transport),
    runs,
    experts: createServiceClient(ExpertCatalogService, transport),
    schedules: createServiceClient(ScheduleService, transport),
    startRun,
    runAndWait: async (request, waiting = {}) => {
      const { runId } = await startRun(request, waiting).then((run) => {
        waiting.onStart?.(run);
        return run;
      });
      for await (const message of watchRun(runs, runId, waiting)) tell(message, waiting);
      const { run } = await persist(() => runs.getRun({ runId }, { signal: waiting.signal }), waiting);
      return existing(run);
    },
    watch: (runId, watching) => watchRun(runs, runId, watching),
    close,
  };
}

function transportOf(options: ClientOptions): { transport: Transport; close: () => void } {
  if ("transport" in options) return { transport: options.transport, close: () => undefined };
  const urls = "urls" in options ? options.urls : [options.url];
  const transport = balancedTransport(urls.map((url) => connectTransport(url, options)));
  return { transport, close: () => transport.close() };
}

async function acceptedRun(
  runs: Client<typeof RunService>,
  init: MessageInitShape<typeof StartRunRequestSchema>,
  options: StartOptions,
): Promise<Run> {
  const request = create(StartRunRequestSchema, init);
  const keyed = { ...request, requestId: request.requestId || crypto.randomUUID() };
  const { run } = await persist(() => runs.startRun(keyed, { signal: options.signal }), options);
  return existing(run);
}

function existing(run: Run | undefined): Run {
  if (run === undefined) throw reject(Reason.INTERNAL, { message: "The engine answered without a run." });
  return run;
}

function tell(message: WatchMessage, { onEvent, onEphemeral }: RunAndWaitOptions): void {
  if (message.case === "event") onEvent?.(message.value);
  else if (message.case === "ephemeral") onEphemeral?.(message.value);
}
