// Requests through a client that balances over two engines on one Postgres, while each is restarted by SIGTERM in turn.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { balancedClient, beginLoad, Pair, unfinished } from "../../../tests/faults/rolling.ts";
import { machineLine } from "./machine.ts";

const { values } = parseArgs({
  options: { requests: { type: "string", default: "100000" }, hands: { type: "string", default: "8" } },
});
const postgres = process.env.ODG_TEST_POSTGRES_URL;
if (!postgres) {
  console.error(
    'this needs a Postgres: npm run services -- start postgres, then eval "$(npm run -s services -- env postgres)"',
  );
  process.exit(2);
}
console.log(`${machineLine()}, load ${loadavg()[0]?.toFixed(1)}`);
const pair = await Pair.start(postgres);
const client = balancedClient(pair);
try {
  const began = performance.now();
  const { load, end } = beginLoad(client, Number(values.hands));
  let restarts = 0;
  do {
    await pair.roll();
    restarts += pair.replicas.length;
  } while (load.answered + load.failures.length < Number(values.requests));
  await end();
  const seconds = (performance.now() - began) / 1000;
  const sorted = load.latencies.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
  console.log(`${load.answered} requests answered in ${seconds.toFixed(0)} s through ${restarts} restarts`);
  console.log(
    `${load.failures.length} failed${load.failures
      .slice(0, 5)
      .map((line) => `\n  ${line}`)
      .join("")}`,
  );
  console.log(`ms per request: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
  const left = await unfinished(client, load.runIds);
  console.log(`${load.runIds.length} runs were begun, ${left.length} have not succeeded`);
  if (load.failures.length > 0 || left.length > 0) process.exitCode = 1;
} finally {
  client.close();
  await pair.close();
}
