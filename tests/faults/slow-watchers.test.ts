// F23 on a real engine: watchers who do not read. What one connection does is tried in libs/rpc, what a gateway does in its own tests.
import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createClient } from "@odg/client";
import { type EngineUnderTest, gate, PROBE_EXPERT, startEngine, workflowOf } from "@odg/engine/testing";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type RpcServer, startServer } from "@odg/rpc";
import { type PausedWatcher, pausedByHttp1, pausedByHttp2 } from "@odg/rpc/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

const TASKS = 300;
/** Of each output, which nothing compresses: the journal of the run holds 6 MB. */
const BYTES = 20_000;
const WATCHERS = 20;

let engine: EngineUnderTest;
let server: RpcServer;
const paused: PausedWatcher[] = [];

beforeEach(async () => {
  engine = await startEngine({ experts: [PROBE_EXPERT] });
  const { routes, logger } = engine.engine;
  server = await startServer({ routes, logger, http1Port: 0, drainMs: 25_000 });
});
afterEach(async () => {
  for (const watcher of paused.splice(0)) watcher.leave();
  await server.close();
  await engine.close();
});

/** A run whose tasks wait until the gate opens. */
async function begin(name: string) {
  const opening = gate(name);
  const value = randomBytes(BYTES / 2).toString("hex");
  const tasks = [
    { id: "hold", expert: "ProbeExpert", action: "hold", inputs: { gate: name } },
    ...Array.from({ length: TASKS }, (_, i) => ({
      id: `t${i}`,
      expert: "ProbeExpert",
      action: "echo",
      depends_on: ["hold"],
      inputs: { value: `\${run.inputs.value}` },
    })),
  ];
  const source = { case: "workflow" as const, value: workflowOf(tasks) };
  const { run } = await engine.runs.startRun({ source, inputs: { value } });
  await opening.arrivals(1);
  return { runId: run?.runId ?? "", opening };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Memory that is held, without what only waits to be collected. */
const megabytes = () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};

test("watchers who do not read hold up neither the run nor memory, and miss nothing when they come again", {
  timeout: 60_000,
}, async () => {
  const { runId, opening } = await begin("slow");
  for (let i = 0; i < WATCHERS; i++) paused.push(pausedByHttp2(server, { runId }), pausedByHttp1(server, { runId }));
  const client = createClient({ url: server.h2cUrl });
  const before = megabytes();
  const following = (async () => {
    const seqs: bigint[] = [];
    for await (const message of client.watch(runId)) if (message.case === "event") seqs.push(message.value.seq);
    return seqs;
  })();
  opening.open();
  const seqs = await following;
  expect((await engine.runs.getRun({ runId })).run?.status).toBe(RunStatus.SUCCEEDED);
  // If each had its 6 MB waiting, there would be 240 MB more.
  expect(megabytes() - before).toBeLessThan(120);
  const middle = BigInt(Math.floor(seqs.length / 2));
  const rest: bigint[] = [];
  for await (const message of client.watch(runId, { afterSeq: middle }))
    if (message.case === "event") rest.push(message.value.seq);
  expect(seqs).toEqual(seqs.map((_, i) => BigInt(i + 1)));
  expect(rest).toEqual(seqs.slice(Number(middle)));
  client.close();
});

test("watchers who do not read do not hold up the end of the server", { timeout: 60_000 }, async () => {
  const { runId, opening } = await begin("draining");
  for (let i = 0; i < 5; i++) paused.push(pausedByHttp2(server, { runId }), pausedByHttp1(server, { runId }));
  opening.open();
  await expect
    .poll(async () => (await engine.runs.getRun({ runId })).run?.status, { timeout: 30_000 })
    .toBe(RunStatus.SUCCEEDED);
  const began = performance.now();
  await server.close();
  expect(performance.now() - began).toBeLessThan(15_000);
});
