import type { OdgClient } from "@odg/client";
import { createClient } from "@odg/client";
import type { Engine } from "@odg/engine";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { connectTransport, inProcessTransport, reject } from "@odg/rpc";
import { surroundings } from "./config.ts";
import { say } from "./output.ts";
import { UsageError } from "./usage-error.ts";

type EngineApi = typeof import("@odg/engine");

/** Flags that every verb which needs an engine knows. */
export interface EngineFlags {
  engine?: string;
  quiet?: boolean;
  json?: boolean;
}

/** An engine to talk to: a running one, or one in this process. */
export interface Connection {
  client: OdgClient;
  /** Whether the engine lives in this process, and ends with it. */
  inProcess: boolean;
  close(): Promise<void>;
}

/** Connects to the engine of the flags; without one starts an engine here, which may open `allowedPaths`. */
export async function connect(flags: EngineFlags, allowedPaths: string[] = []): Promise<Connection> {
  const url = flags.engine ?? surroundings.engineUrl;
  if (url) {
    const transport = connectTransport(url);
    return { client: createClient({ transport }), inProcess: false, close: async () => transport.close() };
  }
  return startHere(allowedPaths, flags.quiet === true || flags.json === true);
}

async function startHere(allowedPaths: string[], quiet: boolean): Promise<Connection> {
  // Loaded only here: the engine is large, and `odg --version` does not need it.
  const api = await import("@odg/engine");
  const engine = await startEngine(api, allowedPaths, quiet).catch((error: unknown) => {
    throw startFault(error, api);
  });
  return {
    client: createClient({ transport: inProcessTransport(engine.routes) }),
    inProcess: true,
    close: () => engine.close(),
  };
}

async function startEngine(api: EngineApi, allowedPaths: string[], quiet: boolean): Promise<Engine> {
  const { engine: settings } = api.readConfig();
  // In a store of this machine a run that was left has nobody else; in a server's store its engine will come back.
  const leftRuns = settings.store.kind === "postgres" ? "leave" : "cancel";
  const config = { ...settings, allowedPaths, logLevel: surroundings.logLevel, leftRuns } as const;
  try {
    return await api.createEngine(config);
  } catch (error) {
    if (!(error instanceof api.StoreInUse)) throw error;
    if (!quiet) say(`note: another odg (process ${error.pid}) has the store open; this run will not be kept`);
    return api.createEngine({ ...config, store: { kind: "memory" } });
  }
}

/** Why the engine does not start, told to the person who started it. */
function startFault(error: unknown, { ConfigError, PlacementError, StoreUnavailable }: EngineApi): unknown {
  if (error instanceof ConfigError) return new UsageError(error.message);
  if (error instanceof PlacementError)
    return reject(Reason.EXPERT_UNAVAILABLE, { message: error.message, cause: error });
  if (error instanceof StoreUnavailable) return reject(Reason.UNAVAILABLE, { message: error.message, cause: error });
  return error;
}
