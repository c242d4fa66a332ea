// One engine, three placements: what is behind Client<ExpertService> changes nothing in front of it.
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Expert } from "@odg/expert-plugin-api";
import { type ExpertServer, type ServeOptions, serveExpert } from "@odg/expert-plugin-api/serve";
import { ExpertStatus } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus, type TaskState } from "@odg/proto/odg/run/v1/run_pb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_EXPERTS, type EngineConfig } from "../config.ts";
import { renderJson, stableReport } from "../report/json.ts";
import {
  type EngineUnderTest,
  PROBE_EXPERT,
  sampleLake,
  startEngine,
  workflowOf,
  writeProbe,
} from "../testing/index.ts";

const TOKEN = "a-token-of-more-than-16";
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(config: Partial<EngineConfig>): Promise<EngineUnderTest> {
  const engine = await startEngine(config);
  opened.push(engine);
  return engine;
}

async function runOne(engine: EngineUnderTest, task: object): Promise<TaskState | undefined> {
  const workflow = workflowOf([{ id: "only", expert: "ProbeExpert", ...task }]);
  return (await engine.run({ source: { case: "workflow", value: workflow } })).run.tasks[0];
}

const outputOf = (task: TaskState | undefined) =>
  task?.output ? (toJson(ValueSchema, task.output) as JsonObject) : {};

async function statuses(engine: EngineUnderTest): Promise<Record<string, string | undefined>> {
  const { experts } = await engine.experts.listExperts({});
  return Object.fromEntries(experts.map(({ expertId, status }) => [expertId, ExpertStatus[status]]));
}

describe("the six experts in processes of their own", () => {
  test("give a report equal to that of the module placement", { timeout: 120_000 }, async () => {
    const lake = sampleLake(2_000);
    opened.push({ close: async () => rmSync(lake, { recursive: true }) });
    const reportWith = async (experts: string[]) => {
      const engine = await start({ dataRoots: [lake], experts });
      const inputs = { dataset: join(lake, "customer_transactions.parquet") };
      const { run } = await engine.run({ source: { case: "workflowId", value: "onboard_dataset" }, inputs });
      expect(run.status).toBe(RunStatus.SUCCEEDED);
      return JSON.parse(renderJson(stableReport(await engine.report(run.runId))));
    };
    const inside = await reportWith(DEFAULT_EXPERTS);
    const outside = await reportWith(DEFAULT_EXPERTS.map((name) => `process:${name}`));
    expect(inside.findings.length).toBeGreaterThan(10);
    expect(outside).toEqual(inside);
  });
});

/** What holds of an expert outside of the engine, by whatever way it is reached. */
function outsideCases(enter: () => Promise<EngineUnderTest>): void {
  test("is given its input and asks back for what others have shared", async () => {
    const engine = await enter();
    const tasks = [
      { id: "first", expert: "ProbeExpert", action: "share", inputs: { key: "colour" } },
      { id: "second", expert: "ProbeExpert", action: "echo", inputs: { say: "hello" }, depends_on: ["first"] },
    ];
    const { run } = await engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    expect(outputOf(run.tasks[1])).toMatchObject({
      input: { say: "hello" },
      upstream: { first: { seen: 0 } },
      shared: { colour: { value: "first", taskId: "first" } },
    });
  });

  test("keeps the reasons of its errors", async () => {
    const engine = await enter();
    const failures = [
      await runOne(engine, { action: "nap", inputs: { ms: "long" } }),
      await runOne(engine, { action: "fail", inputs: { times: 9, message: "secret of jane@example.com" } }),
      await runOne(engine, { action: "break_word" }),
    ].map((task) => task?.failure);
    expect(failures.map((failure) => Reason[failure?.reason ?? 0])).toEqual([
      "INPUT_INVALID",
      "EXPERT_FAILED",
      "OUTPUT_INVALID",
    ]);
    expect(failures[0]?.subject).toBe("input.ms");
    expect(failures[1]?.message).not.toContain("secret");
  });

  test("is answered for at the deadline of its task", async () => {
    const engine = await enter();
    await runOne(engine, { action: "echo" });
    const task = await runOne(engine, { action: "nap", inputs: { ms: 20_000 }, timeout: "0.3s" });
    expect(Reason[task?.failure?.reason ?? 0]).toBe("DEADLINE_EXCEEDED");
  });
}

describe("an expert in a process", () => {
  outsideCases(() => start({ experts: [`process:${PROBE_EXPERT}`] }));

  test("runs beside another version of itself, each for the tasks that ask for it", async () => {
    const [one, two] = ["1.4.0", "2.0.0"].map((version) => writeProbe({ version }));
    const engine = await start({ experts: [`process:${one}`, `process:${two}`] });
    const version = async (range: string) => {
      const workflow = workflowOf([{ id: "only", expert: "ProbeExpert", action: "echo", version: range }]);
      const { events } = await engine.run({ source: { case: "workflow", value: workflow } });
      return events.flatMap(({ kind }) => (kind.case === "taskStarted" ? [kind.value.instance] : []));
    };
    expect(await version("^1.0.0")).toEqual(["ProbeExpert@1.4.0#1"]);
    expect(await version("")).toEqual(["ProbeExpert@2.0.0#1"]);
  });

  test("sees nothing of the engine's environment", async () => {
    process.env.ODG_TEST_CANARY = "canary";
    const engine = await start({ experts: [`process:${PROBE_EXPERT}`] });
    const { pid } = outputOf(await runOne(engine, { action: "whereabouts" }));
    expect(pid).not.toBe(process.pid);
    expect(outputOf(await runOne(engine, { action: "whereabouts" })).environment).toEqual(["TMPDIR", "TZ"]);
    delete process.env.ODG_TEST_CANARY;
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

describe("a remote expert", () => {
  let port: number;
  let hostPort: number;
  beforeEach(async () => {
    [port, hostPort] = [await freePort(), await freePort()];
  });

  async function serve(folder = PROBE_EXPERT, options: Partial<ServeOptions> = {}): Promise<ExpertServer> {
    const { default: expert }: { default: Expert } = await import(pathToFileURL(join(folder, "index.ts")).href);
    const server = await serveExpert(expert, {
      host: `http://127.0.0.1:${hostPort}`,
      port,
      token: TOKEN,
      drainMs: 100,
      ...options,
    });
    opened.push(server);
    return server;
  }
  const enter = (remoteToken = TOKEN) =>
    start({
      experts: [`remote:dns:///127.0.0.1:${port}`],
      hostListen: { host: "127.0.0.1", port: hostPort },
      remoteToken,
    });

  describe("that serves", () => {
    outsideCases(async () => {
      await serve();
      return enter();
    });
  });

  test("is registered once it serves, left out within 5 s when it does not, and back when it does again", async () => {
    const engine = await enter();
    expect(await statuses(engine)).toEqual({});
    const server = await serve();
    await expect.poll(() => statuses(engine), { timeout: 5_000 }).toEqual({ "ProbeExpert@1.0.0": "AVAILABLE" });
    await server.close();
    await expect.poll(() => statuses(engine), { timeout: 5_000 }).toEqual({ "ProbeExpert@1.0.0": "OFFLINE" });
    const failed = await runOne(engine, { action: "echo" });
    expect(failed?.failure?.message).toContain("is offline: it does not answer at its address");
    await serve();
    await expect.poll(() => statuses(engine), { timeout: 5_000 }).toEqual({ "ProbeExpert@1.0.0": "AVAILABLE" });
    expect((await runOne(engine, { action: "echo" }))?.failure).toBeUndefined();
  });

  test("is one instance of a pool: what goes away in the middle of a task is done at the other address", async () => {
    const other = await freePort();
    const server = await serve(PROBE_EXPERT, { drainMs: 0 });
    await serve(PROBE_EXPERT, { port: other });
    const engine = await start({
      experts: [port, other].map((one) => `remote:dns:///127.0.0.1:${one}`),
      hostListen: { host: "127.0.0.1", port: hostPort },
      remoteToken: TOKEN,
    });
    const retry = { max_attempts: 3, initial_interval: "0.05s" };
    const nap = { expert: "ProbeExpert", action: "nap", inputs: { ms: 1_500 }, retry };
    const tasks = ["one", "two"].map((id) => ({ ...nap, id }));
    const ended = engine.run({ source: { case: "workflow", value: workflowOf(tasks) } });
    await sleep(500);
    await server.close();
    const { run, events } = await ended;
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    const started = events.flatMap(({ kind }) => (kind.case === "taskStarted" ? [kind.value.instance] : []));
    expect(new Set(started)).toEqual(new Set(["ProbeExpert@1.0.0#1", "ProbeExpert@1.0.0#2"]));
    expect(Math.max(...run.tasks.map(({ attempts }) => attempts))).toBeGreaterThan(1);
  });

  test("is another expert where another version answers at its address", async () => {
    const server = await serve();
    const engine = await enter();
    await server.close();
    await serve(writeProbe({ version: "1.1.0" }));
    await expect
      .poll(() => statuses(engine), { timeout: 8_000 })
      .toEqual({ "ProbeExpert@1.0.0": "OFFLINE", "ProbeExpert@1.1.0": "AVAILABLE" });
  });

  test("refuses an engine with another token, which tells nobody its own", async () => {
    await serve();
    const wrong = "another-token-of-more-than-16";
    const engine = await enter(wrong);
    expect(await statuses(engine)).toEqual({});
    const log = engine.log.join("");
    expect(log).toContain("the token is not the one of this expert");
    expect(log).not.toContain(wrong);
  });

  test("is no reason not to start where its address is none", async () => {
    await expect(start({ experts: ["remote:somewhere"] })).rejects.toThrow(/looks like remote:dns:\/\//);
    const engine = await start({ experts: ["remote:dns:///nowhere.invalid:1", PROBE_EXPERT] });
    expect(await statuses(engine)).toEqual({ "ProbeExpert@1.0.0": "AVAILABLE" });
  });

  test("cannot ask back where the port is taken, which is said at the start", async () => {
    await serve();
    const taken = { host: "127.0.0.1", port };
    const engine = start({ experts: [`remote:dns:///127.0.0.1:${port}`], hostListen: taken, remoteToken: TOKEN });
    await expect(engine).rejects.toThrow(`experts cannot ask back at port ${port}: EADDRINUSE`);
  });
});
