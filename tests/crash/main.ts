/** `npm run test:crash -- --kills N [--seed S] [--engines 1|2] [--runs N] [--life MS] [--placement module|process]`; Ctrl-C ends the kills. */
import { parseArgs } from "node:util";
import { serviceUrl } from "../../tools/services/endpoints.ts";
import { readState } from "../../tools/services/state.ts";
import { percentile } from "./inspection.ts";
import { type StormReport, storm } from "./storm.ts";

const USAGE =
  "usage: npm run test:crash -- --kills N [--seed S] [--engines 1|2] [--runs N at once] [--life MS] [--placement module|process]";

/** Faults that are shown one by one. */
const SHOWN = 20;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "50" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
      engines: { type: "string", default: "1" },
      runs: { type: "string", default: "30" },
      life: { type: "string", default: "1200" },
      placement: { type: "string", default: "module" },
    },
  });
  const [kills, seed, engines, runs] = [values.kills, values.seed, values.engines, values.runs].map(Number);
  const { placement } = values;
  const lifeMs = Number(values.life);
  if (!(kills && kills > 0) || seed === undefined || Number.isNaN(seed) || !(runs && runs > 0) || !(lifeMs >= 0))
    return usage();
  if ((engines !== 1 && engines !== 2) || (placement !== "module" && placement !== "process")) return usage();
  const server = serviceUrl("postgres") ?? (await readState()).postgres?.env.ODG_TEST_POSTGRES_URL;
  if (!server) {
    console.error("there is no Postgres: npm run services -- start postgres");
    return 2;
  }
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  tell(`seed ${seed}`);
  const enough = new AbortController();
  process.once("SIGINT", () => enough.abort());
  const report = await storm({ server, kills, seed, engines, runs, lifeMs, placement, tell, signal: enough.signal });
  show(report, engines);
  return report.faults.length === 0 ? 0 : 1;
}

function usage(): number {
  console.error(USAGE);
  return 2;
}

function show(
  { seed, kills, seconds, runs, tasks, events, effects, faults, recoveries }: StormReport,
  engines: number,
) {
  const from = engines === 1 ? "from the start of the process" : "from the death of the engine";
  console.log(`seed ${seed}: ${kills} kills in ${seconds.toFixed(0)} s`);
  console.log(`${runs} runs, ${tasks} tasks, ${events} events; ${effects.calls} effects under ${effects.keys} keys`);
  console.log(
    `${recoveries.length} runs taken up again: p50 ${percentile(recoveries, 0.5)} ms, p99 ${percentile(recoveries, 0.99)} ms ${from} to the next event`,
  );
  console.log(faults.length === 0 ? "nothing lost, nothing settled twice" : `${faults.length} FAULTS`);
  for (const fault of faults.slice(0, SHOWN)) console.log(`  ${fault}`);
}

process.exitCode = await main();
