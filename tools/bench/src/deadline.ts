// How long after its deadline a caller is answered whose handler ignores it, over real sockets, and whether the slot is free then.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createEngine, readConfig } from "@odg/engine";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { connectTransport, inProcessTransport, startServer } from "@odg/rpc";
import { faulty } from "../../../tests/faults/engine.ts";
import { machineLine } from "./machine.ts";

const GOAL_MS = 50;
const { values } = parseArgs({
  options: { calls: { type: "string", default: "1000" }, hands: { type: "string", default: "8" } },
});
const calls = Number(values.calls);
const hands = Number(values.hands);
const TIMEOUT_MS = 100;
const RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";

/** Milliseconds behind each deadline at which the answer was there. */
async function late(call: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  let left = calls;
  const work = async () => {
    while (left-- > 0) {
      const began = performance.now();
      const error = await call().then(
        () => new Error("the call was answered"),
        (refusal: unknown) => refusal,
      );
      if (ConnectError.from(error).code !== Code.DeadlineExceeded) throw error;
      all.push(performance.now() - began - TIMEOUT_MS);
    }
  };
  await Promise.all(Array.from({ length: hands }, work));
  return all.sort((a, b) => a - b);
}

function show(name: string, all: readonly number[]): void {
  const at = (share: number) =>
    (all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? Number.NaN).toFixed(1);
  console.log(`${name.padEnd(28)}${[at(0.5), at(0.99), at(1)].map((figure) => figure.padStart(9)).join("")}`);
}

/** Calls of a server whose handler never ends. */
async function ofCalls(
  options: Parameters<typeof connectTransport>[1],
  wire: "h2cUrl" | "http1Url",
): Promise<number[]> {
  const hang = () => new Promise<never>(() => undefined);
  const server = await startServer({
    http1Port: 0,
    drainMs: 0,
    routes: (router) => router.service(RunService, { getRun: hang, listRuns: () => ({ runs: [] }) }),
  });
  const transport = connectTransport(server[wire] ?? "", options);
  const client = createClient(RunService, transport);
  await client.listRuns({});
  const all = await late(() => client.getRun({ runId: RUN_ID }, { timeoutMs: TIMEOUT_MS }));
  transport.close();
  await server.close();
  return all;
}

/** Tasks of an expert of one slot that never ends: the journal says when they began and failed. */
async function ofTasks(): Promise<number[]> {
  const config = {
    ...readConfig({}).engine,
    store: { kind: "memory" as const },
    logLevel: "silent",
    experts: [faulty("ignores-deadline")],
  };
  const engine = await createEngine(config);
  const runs = createClient(RunService, inProcessTransport(engine.routes));
  const task = { id: "a", expert: "DeafExpert", action: "sit", timeout: { seconds: 0n, nanos: TIMEOUT_MS * 1e6 } };
  const workflow = create(WorkflowSchema, { workflowId: "deaf", tasks: [task] });
  const all: number[] = [];
  // One after the other, by one slot: each begins only because the slot of the one before is free.
  for (let i = 0; i < Math.min(calls, 100); i++) {
    const { run } = await runs.startRun({ source: { case: "workflow", value: workflow } });
    let began = 0;
    for await (const { message } of runs.watchRun({ runId: run?.runId ?? "" })) {
      if (message.case !== "event") continue;
      const { kind } = message.value;
      if (kind.case === "taskStarted") began = performance.now();
      if (kind.case !== "taskFailed") continue;
      if (kind.value.failure?.reason !== Reason.DEADLINE_EXCEEDED) throw new Error(kind.value.failure?.message);
      all.push(performance.now() - began - TIMEOUT_MS);
    }
  }
  await engine.close();
  return all.sort((a, b) => a - b);
}

console.log(`${machineLine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log(`ms behind a deadline of ${TIMEOUT_MS} ms, ${calls} calls by ${hands} at once; the handler never ends\n`);
console.log(`${"".padEnd(28)}${["p50", "p99", "max"].map((name) => name.padStart(9)).join("")}`);
show("gRPC", await ofCalls({}, "h2cUrl"));
show("Connect over HTTP/2", await ofCalls({ protocol: "connect" }, "h2cUrl"));
show("Connect over HTTP/1.1", await ofCalls({ http1: true }, "http1Url"));
show("task of a process", await ofTasks());
console.log(`\ngoal: p99 below ${GOAL_MS} ms`);
