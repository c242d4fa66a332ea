import { drainOnSignals, stderrLogger } from "@odg/rpc";
import { readConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

try {
  const config = readConfig();
  const gateway = await startGateway(config);
  const { http1Url: http, h2cUrl: grpc } = gateway;
  const engine = new URL(config.engineUrl).host;
  stderrLogger.info({ http, grpc, engine, origins: config.origins }, "gateway is ready");
  drainOnSignals({
    close: () => {
      stderrLogger.info({ drainMs: config.drainMs }, "gateway is stopping");
      return gateway.close();
    },
  });
} catch (error) {
  // Nothing is up yet that could log: the operator reads this line.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
