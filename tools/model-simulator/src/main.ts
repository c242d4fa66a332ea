/** `node tools/model-simulator/src/main.ts [--port 0] [--seed 1]`: starts a simulator and says where it is. */
import { parseArgs } from "node:util";
import { startSimulator } from "./simulator.ts";

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, seed: { type: "string", default: "1" } },
});
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`--port ${values.port} is no port`);
const simulator = await startSimulator({ port, seed: values.seed });
console.log(`model simulator at ${simulator.url}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void simulator.close());
