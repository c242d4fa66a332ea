// How late the engine's event loop is beside experts that spin: in processes of their own, and in the engine's worker threads.

import { availableParallelism, loadavg } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createEngine, readConfig } from "@odg/engine";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { inProcessTransport } from "@odg/rpc";
import { machineLine, median } from "./machine.ts";

const GOAL_MS = 50;
const RESOLUTION_MS = 5;
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "5" }, rounds: { type: "string", default: "3" } },
});
const seconds = Number(values.seconds);
const spinning = availableParallelism();
const folder = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The figures of one round, in milliseconds. */
interface Lag {
  p50: number;
  p99: number;
  max: number;
  /** Small runs that the engine brought to their end meanwhile. */
  runs: number;
}

async function measure(placement: "" | "process:", action: "spin" | "offload" | undefined): Promise<Lag> {
  const config = {
    ...readConfig({}).engine,
    store: { kind: "memory" as const },
    logLevel: "warn",
    poolThreads: spinning,
  };
  const instances = placement === "process:" ? `*${spinning}` : "";
  const experts = [folder("echo-expert"), `${placement}${folder("spin-expert")}${instances}`];
  const engine = await createEngine({ ...config, experts });
  const runs = createClient(RunService, inProcessTransport(engine.routes));
  const run = async (task: { expert: string; action: string }, inputs: object) => {
    const workflow = create(WorkflowSchema, { workflowId: "lag", tasks: [{ id: "a", ...task }] });
    const { run: started } = await runs.startRun({
      source: { case: "workflow", value: workflow },
      inputs: { ...inputs },
    });
    for await (const _ of runs.watchRun({ runId: started?.runId ?? "" }));
    const { run: ended } = await runs.getRun({ runId: started?.runId ?? "" });
    if (ended?.status !== RunStatus.SUCCEEDED) throw new Error(`a run failed: ${ended?.failure?.message}`);
  };
  const small = () => run({ expert: "EchoExpert", action: "echo" }, { text: "hello", numbers: [1] });
  await small();
  const busy = action
    ? Array.from({ length: spinning }, () => run({ expert: "SpinExpert", action }, { ms: seconds * 1000 + 500 }))
    : [];
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let count = 0;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; count++) {
    await small();
    await turn(); // A run with a journal in memory needs no turn of the loop by itself.
  }
  histogram.disable();
  await Promise.all(busy);
  await engine.close();
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max), runs: count };
}

const SUBJECTS = {
  "nobody spins": () => measure("", undefined),
  [`${spinning} processes spin`]: () => measure("process:", "spin"),
  [`${spinning} worker threads spin`]: () => measure("", "offload"),
};

console.log(`${machineLine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log(
  `lag of the event loop in ms while the engine runs small workflows for ${seconds} s, median of ${values.rounds} rounds\n`,
);
console.log(`${"".padEnd(26)}${["p50", "p99", "max", "runs/s"].map((name) => name.padStart(9)).join("")}`);
const rounds = new Map<string, Lag[]>(Object.keys(SUBJECTS).map((name) => [name, []]));
for (let i = 0; i < Number(values.rounds); i++)
  for (const [name, take] of Object.entries(SUBJECTS)) rounds.get(name)?.push(await take());
for (const [name, lags] of rounds) {
  const of = (key: keyof Lag) => median(lags.map((lag) => lag[key]));
  const figures = [of("p50"), of("p99"), of("max"), of("runs") / seconds];
  console.log(`${name.padEnd(26)}${figures.map((figure) => figure.toFixed(1).padStart(9)).join("")}`);
}
console.log(`\ngoal: p99 below ${GOAL_MS} ms`);
