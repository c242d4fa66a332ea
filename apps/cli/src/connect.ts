import type { OdgClient } from "@odg/client";
import { createClient } from "@odg/client";
import type { Engine } from "@odg/engine";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { connectTransport, inProcessTransport, isUserName, reject } from "@odg/rpc";
import { surroundings } from "./config.ts";
import { EXIT } from "./exit-code.ts";
import { say } from "./output.ts";
import { UsageError } from "./usage-error.ts";

type EngineApi = typeof import("@odg/engine");

/** Flags that every verb which needs an engine knows. */
export interface EngineFlags {
  engine?: string;
  /** Who asks; whoever sits here where absent. */
  user?: string;
  quiet?: boolean;
  json?: boolean;
}

/** An engine to talk to: a running one, or one in this process. */
export interface Connection {
  client: OdgClient;
  /**
   * The same engine, asked by name: for consents. In this process the runs bear no name, since nobody but the one who started them is
   * there to consent.
   */
  person: OdgClient;
  /** Whether the engine lives in this process, and ends with it. */
  inProcess: boolean;
  close(): Promise<void>;
}

/** Whether the verb talks to an engine that goes on when it ends. */
export function isRemote(flags: EngineFlags): boolean {
  return (flags.engine ?? surroundings.engineUrl) !== undefined;
}

/** Connects to the engine of the flags; without one starts an engine here, which may open `allowedPaths`. */
export async function connect(flags: EngineFlags, allowedPaths: string[] = []): Promise<Connection> {
  const url = flags.engine ?? surroundings.engineUrl;
  if (url) {
    const transport = connectTransport(url);
    const close = async () => transport.close();
    const client = createClient({ transport, ...whoAsks(flags) });
    return { client, person: client, inProcess: false, close };
  }
  return startHere(allowedPaths, flags);
}

/** Does something with an engine and disconnects. Answers the exit code. */
export async function withConnection(
  flags: EngineFlags,
  work: (connection: Connection) => Promise<void>,
): Promise<number> {
  const connection = await connect(flags);
  try {
    await work(connection);
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}

/** @throws UsageError where the name cannot travel. */
function whoAsks({ user = surroundings.user }: EngineFlags): { user?: string } {
  if (user === undefined) return {};
  if (!isUserName(user)) throw new UsageError("--user: a name has 1 to 256 printable ASCII characters");
  return { user };
}

async function startHere(allowedPaths: string[], flags: EngineFlags): Promise<Connection> {
  const quiet = flags.quiet === true || flags.json === true;
  const person = whoAsks(flags);
  // Loaded only here: the engine is large, and `odg --version` does not need it.
  const api = await import("@odg/engine");
  const engine = await startEngine(api, allowedPaths, quiet).catch((error: unknown) => {
    throw startFault(error, api);
  });
  const transport = inProcessTransport(engine.routes);
  return {
    client: createClient({ transport }),
    person: createClient({ transport, ...person }),
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
