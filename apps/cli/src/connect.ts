import type { OdgClient } from "@odg/client";
import { createClient } from "@odg/client";
import { connectTransport, inProcessTransport } from "@odg/rpc";
import { surroundings } from "./config.ts";
import { say } from "./output.ts";

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
  const { createEngine, readConfig, StoreInUse } = await import("@odg/engine");
  const config = { ...readConfig().engine, allowedPaths, logLevel: surroundings.logLevel, leftRuns: "cancel" as const };
  const start = async () => {
    try {
      return await createEngine(config);
    } catch (error) {
      if (!(error instanceof StoreInUse)) throw error;
      if (!quiet) say(`note: another odg (process ${error.pid}) has the store open; this run will not be kept`);
      return await createEngine({ ...config, store: { kind: "memory" } });
    }
  };
  const engine = await start();
  return {
    client: createClient({ transport: inProcessTransport(engine.routes) }),
    inProcess: true,
    close: () => engine.close(),
  };
}
