import { drainOnSignals, startServer } from "@odg/rpc";
import { createEngine, readConfig } from "./engine.ts";
import { tellReadiness } from "./readiness.ts";
import { refusePages } from "./refuse-pages.ts";

try {
  const { engine: engineConfig, server: serverConfig } = readConfig();
  const engine = await createEngine({ ...engineConfig, name: serverConfig.engineName });
  const server = await startServer({
    routes: engine.routes,
    first: refusePages,
    host: serverConfig.host,
    port: serverConfig.port,
    http1Port: serverConfig.httpPort,
    drainMs: serverConfig.drainMs,
    logger: engine.logger,
  });
  const stopTelling = tellReadiness(engine.serving, server.health);
  engine.logger.info(
    { grpc: server.h2cUrl, http: server.http1Url, dataRoots: engineConfig.dataRoots },
    "engine is ready",
  );
  drainOnSignals({
    close: async () => {
      engine.logger.info({ drainMs: serverConfig.drainMs }, "engine is stopping");
      stopTelling();
      await server.close();
      await engine.close();
    },
  });
} catch (error) {
  // Nothing is up yet that could log: the operator reads this line.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
