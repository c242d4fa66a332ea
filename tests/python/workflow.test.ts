import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EngineUnderTest, startEngine, workflowOf } from "@odg/engine/testing";
import type { Expert } from "@odg/expert-plugin-api";
import { type ExpertServer, serveExpert } from "@odg/expert-plugin-api/serve";
import { type ExpertRegistration, ExpertStatus } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toolPath } from "../../tools/services/endpoints.ts";
import { freePort } from "../../tools/services/ports.ts";
import { type PythonExample, type PythonServer, preparedExample, startPython } from "./python-expert.ts";

const python = toolPath("python");
const TOKEN = "a token of the test";
const CSV = `id,city,country
1,Lisboa,PT
2,LISBOA,PT
3,Porto ,PT
4,\u00c3\u0089vora,PT
5,S\ufffdo Paulo,BR
6,Braga,PT
`;
const MIXED = workflowOf([
  { id: "schema", expert: "SchemaExpert", action: "analyze_schema" },
  { id: "texts", expert: "TextStatsExpert", action: "measure_texts", depends_on: ["schema"] },
]);

describe.skipIf(!python)("an engine with a remote expert in Python and one in TypeScript", () => {
  let folder: string;
  let example: PythonExample;
  let inPython: PythonServer;
  let inTypeScript: ExpertServer;
  let engine: EngineUnderTest;
  let host: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "odg-mixed-"));
    await writeFile(join(folder, "places.csv"), CSV);
    example = await preparedExample(python ?? "");
    const port = await freePort();
    host = `http://127.0.0.1:${port}`;
    inPython = await startPython(python ?? "", example.folder, { host, token: TOKEN });
    const name: string = "@odg/expert-schema";
    const { default: expert } = (await import(name)) as { default: Expert };
    inTypeScript = await serveExpert(expert, { host, token: TOKEN, threads: 1 });
    engine = await startEngine({
      experts: [`remote:dns:///${inPython.address}`, `remote:dns:///${new URL(inTypeScript.url).host}`],
      hostListen: { host: "127.0.0.1", port },
      remoteToken: TOKEN,
      dataRoots: [folder],
    });
    // An expert that answers too late to the first look is found at the next.
    while ((await engine.experts.listExperts({})).experts.length < 2) await sleep(100);
  });
  afterAll(async () => {
    await engine?.close();
    await inPython?.stop();
    await inTypeScript?.close();
    await example?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const dataset = () => join(folder, "places.csv");
  const start = () => engine.run({ source: { case: "workflow", value: MIXED }, inputs: { dataset: dataset() } });

  async function textStats(): Promise<ExpertRegistration | undefined> {
    const { experts } = await engine.experts.listExperts({});
    return experts.find(({ expertName }) => expertName === "TextStatsExpert");
  }

  async function until(status: ExpertStatus): Promise<number> {
    const began = performance.now();
    while ((await textStats())?.status !== status) await sleep(50);
    return performance.now() - began;
  }

  test("lists both as remote, with their actions", async () => {
    const { experts } = await engine.experts.listExperts({});
    const told = experts.map(({ expertName, placement, status, actions }) => [
      expertName,
      placement,
      status,
      actions.map(({ name }) => name).includes(expertName === "TextStatsExpert" ? "measure_texts" : "analyze_schema"),
    ]);
    expect(told).toEqual([
      ["SchemaExpert", "remote", ExpertStatus.AVAILABLE, true],
      ["TextStatsExpert", "remote", ExpertStatus.AVAILABLE, true],
    ]);
  });

  test("runs a workflow of both to a report with the findings of both", async () => {
    const { run } = await start();
    expect([run.status, ...run.tasks.map(({ status }) => status)]).toEqual([
      RunStatus.SUCCEEDED,
      TaskStatus.SUCCEEDED,
      TaskStatus.SUCCEEDED,
    ]);
    const { findings } = await engine.report(run.runId);
    const texts = findings.flatMap(({ finding }) => (finding?.ruleId.startsWith("text.") ? [finding] : []));
    const told = texts.map(({ ruleId, subject, evidence }) => [ruleId, subject?.name, evidence[0]?.text]);
    expect(told.sort()).toEqual([
      ["text.garbled", "places.city", "1 of 6 texts"],
      ["text.lost_characters", "places.city", "1 of 6 texts"],
      ["text.padding", "places.city", "1 of 6 texts"],
      ["text.spelling_variants", "places.city", "2 of 6 texts"],
    ]);
    expect(texts.every(({ severity }) => severity >= Severity.WARNING)).toBe(true);
    expect(findings.some(({ expert }) => expert.startsWith("SchemaExpert@"))).toBe(true);
  });

  test("takes the reason of a failed task from Python", async () => {
    const tasks = [
      { id: "texts", expert: "TextStatsExpert", action: "measure_texts", inputs: { columns: ["nobody"] } },
    ];
    const { run } = await engine.run({
      source: { case: "workflow", value: workflowOf(tasks) },
      inputs: { dataset: dataset() },
    });
    expect(run.status).toBe(RunStatus.FAILED);
    const failure = run.tasks[0]?.failure;
    expect([failure?.reason, failure?.message]).toEqual([
      Reason.INPUT_INVALID,
      "input.columns[0] is no column of the dataset",
    ]);
  });

  test("takes it offline within 5 s when it stops, and back when it is there again", async () => {
    const { address } = inPython;
    await inPython.stop();
    expect(await until(ExpertStatus.OFFLINE)).toBeLessThan(5_000);
    inPython = await startPython(python ?? "", example.folder, { host, token: TOKEN, listen: address });
    expect(await until(ExpertStatus.AVAILABLE)).toBeLessThan(10_000);
    expect((await start()).run.status).toBe(RunStatus.SUCCEEDED);
  });

  test("fails its own task and no other's when it is killed at work", async () => {
    const rows = Array.from({ length: 300_000 }, (_, row) => `${row},place ${row % 1000},${"a long text ".repeat(5)}`);
    await writeFile(join(folder, "many.csv"), `id,place,story\n${rows.join("\n")}\n`);
    const workflow = workflowOf([
      {
        id: "texts",
        expert: "TextStatsExpert",
        action: "measure_texts",
        inputs: { dataset: join(folder, "many.csv"), sample: 0 },
      },
      { id: "schema", expert: "SchemaExpert", action: "analyze_schema", inputs: { dataset: dataset() } },
    ]);
    const runId = (await engine.runs.startRun({ source: { case: "workflow", value: workflow } })).run?.runId ?? "";
    for await (const { message } of engine.runs.watchRun({ runId })) {
      if (message.case === "ephemeral" && message.value.taskId === "texts") inPython.process.kill("SIGKILL");
    }
    const { run } = await engine.runs.getRun({ runId });
    const [texts, schema] = run?.tasks ?? [];
    expect([texts?.status, texts?.failure?.reason, texts?.failure?.retryable]).toEqual([
      TaskStatus.FAILED,
      Reason.UNAVAILABLE,
      true,
    ]);
    expect(schema?.status).toBe(TaskStatus.SUCCEEDED);
  });
});
