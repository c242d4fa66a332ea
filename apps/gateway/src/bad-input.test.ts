// B1 to B13 through the gateway: what the engine refuses by itself is refused here in the same words.
import { badInputCases, memoryLogger, startWire } from "@odg/rpc/testing";
import { readConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

badInputCases(async () => {
  const engine = await startWire();
  const ports = { httpPort: 0, port: 0, drainMs: 200 };
  const gateway = await startGateway({ ...readConfig({}), ...ports, engineUrl: engine.h2cUrl }, memoryLogger());
  const close = async () => {
    await gateway.close();
    await engine.close();
  };
  return { ...gateway, close };
});
