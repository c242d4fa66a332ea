// Whole runs through a real engine: its experts over the sample lake, and probes that do what a test says.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Report, RunStatus, SkipCause, type TaskState, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonName } from "@odg/rpc";
import { parseWorkflow } from "@odg/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderJson, stableReport } from "./report/json.ts";
import {
  type EngineUnderTest,
  gate,
  PROBE_EXPERT,
  sampleLake,
  startEngine,
  watchToEnd,
  workflowOf,
  writeProbe,
} from "./testing/index.ts";

const temporary: string[] = [];
afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** An expression, as workflows write it. */
const bound = (expression: string) => `\${${expression}}`;

function outputOf(task: TaskState | undefined): JsonObject {
  if (!task?.output) throw new Error(`task ${task?.taskId} has no output: ${task?.failure?.message}`);
  return toJson(ValueSchema, task.output) as JsonObject;
}

describe("the decision record's onboarding workflow", () => {
  const ROWS = 2000;
  let lake: string;
  let engine: EngineUnderTest;
  let report: Report;

  beforeAll(async () => {
    lake = sampleLake(ROWS);
    temporary.push(lake);
    engine = await startEngine({ dataRoots: [lake] });
    report = await onboard();
  });
  afterAll(() => engine?.close());

  /** As it stands in the record, but for the place of the file. */
  async function onboard(): Promise<Report> {
    const file = new URL(
      "../../../libs/workflow/testdata/workflows/onboard_customer_transactions.json",
      import.meta.url,
    );
    const here = JSON.stringify(join(lake, "customer_transactions.parquet"));
    const text = readFileSync(file, "utf8").replace('"s3://data/customer_transactions.parquet"', here);
    const { workflow } = parseWorkflow(text, "onboard.json");
    if (!workflow) throw new Error("the record's workflow does not parse");
    const { run } = await engine.run({ source: { case: "workflow", value: workflow } });
    return engine.report(run.runId);
  }

  const findings = (rule: string) =>
    report.findings.flatMap(({ finding }) => (finding?.ruleId === rule ? [finding] : []));
  const task = (id: string) => report.run?.tasks.find(({ taskId }) => taskId === id);
  const texts = () => report.findings.flatMap(({ finding }) => finding?.evidence.map(({ text }) => text) ?? []);

  it("succeeds with one headline per task", () => {
    expect(report.run?.status).toBe(RunStatus.SUCCEEDED);
    expect(report.headlines.map(({ taskId }) => taskId)).toEqual(report.workflow?.tasks.map(({ id }) => id));
  });

  it("knows the true number of rows and columns, and the key", () => {
    const [profile] = report.profiles;
    expect(Number(profile?.rowCount)).toBe(ROWS);
    expect(profile?.columns).toHaveLength(15);
    expect(task("schema_analysis")?.summary).toContain("15 columns");
    expect(task("schema_analysis")?.summary).toContain("key transaction_id");
  });

  it("names exactly the columns that hold personal data", () => {
    const columns = findings("security.pii_column").map(({ subject }) => subject?.name.split(".").at(-1));
    expect(columns.sort()).toEqual(["email", "phone", "ssn"]);
  });

  it("names both upstream tables with the line of the SQL that shows each", () => {
    const sql = readFileSync(join(lake, "customer_transactions.sql"), "utf8").split("\n");
    const shown = report.findings
      .filter(({ taskId }) => taskId === "lineage_mapping")
      .flatMap(({ finding }) => finding?.evidence ?? [])
      .filter(({ file }) => file === "customer_transactions.sql")
      .map(({ line }) => sql[Number(line) - 1]?.trim());
    expect(shown).toEqual(expect.arrayContaining(["FROM orders AS o", "JOIN customers AS c"]));
    expect(task("lineage_mapping")?.summary).toMatch(/2 upstream.*customers.*orders/);
  });

  it("names the missing parts of the contract", () => {
    expect(findings("compliance.gdpr.article_5_1_e")[0]?.reason).toContain("retention");
    expect(findings("compliance.gdpr.article_17")[0]?.reason).toContain("erasure");
    expect(findings("compliance.gdpr.article_7")[0]?.reason).toContain("consent");
  });

  it("shows the arithmetic of the cost", () => {
    const arithmetic = texts().find((text) => text.includes("capacity:") || /GiB ×/.test(text)) ?? "";
    const [, gib, price] = /([\d.]+) GiB × \$([\d.]+)\/GiB-month/.exec(arithmetic) ?? [];
    const bytes = Number(report.profiles[0]?.dataset?.sizeBytes);
    expect(Number(gib)).toBeCloseTo(bytes / 2 ** 30, 6);
    expect(Number(price)).toBeGreaterThan(0);
  });

  it("gives an equal report for equal input", async () => {
    const again = await onboard();
    expect(JSON.parse(renderJson(stableReport(again)))).toEqual(JSON.parse(renderJson(stableReport(report))));
  });

  it("takes the data from the run's inputs under either name", async () => {
    const tasks = [{ id: "schema", expert: "SchemaExpert", action: "analyze_schema" }];
    for (const name of ["dataset", "file_path"]) {
      const { run } = await engine.run({
        source: { case: "workflow", value: workflowOf(tasks) },
        inputs: { [name]: join(lake, "customers.parquet") },
      });
      expect(run.tasks[0]?.summary, name).toContain(`${ROWS / 10} rows`);
    }
  });
});

describe("a run of probes", () => {
  let engine: EngineUnderTest;
  beforeAll(async () => {
    const single = writeProbe({ name: "SingleExpert", capability: "single", maxConcurrentTasks: 1 });
    const newer = writeProbe({ version: "1.2.0" });
    const next = writeProbe({ version: "2.0.0" });
    temporary.push(single, newer, next);
    engine = await startEngine({ experts: [PROBE_EXPERT, newer, next, single] });
  });
  afterAll(() => engine?.close());

  const probe = (id: string, more: object = {}) => ({ id, expert: "ProbeExpert", action: "echo", ...more });
  const run = (tasks: object[], inputs: JsonObject = {}) =>
    engine.run({ source: { case: "workflow", value: workflowOf(tasks) }, inputs });
  const start = async (tasks: object[]) => {
    const { run } = await engine.runs.startRun({ source: { case: "workflow", value: workflowOf(tasks) } });
    return run?.runId ?? "";
  };

  it("routes a task without expert by its action or capability", async () => {
    const { run: ended } = await run([
      { id: "by_action", action: "blurt", inputs: { text: "x" } },
      { id: "by_capability", action: "sharing", inputs: { key: "k" } },
    ]);
    expect(ended.tasks.map(({ action, status }) => [action, status])).toEqual([
      ["blurt", TaskStatus.SUCCEEDED],
      ["share", TaskStatus.SUCCEEDED],
    ]);
  });

  it("gives a task the newest version that its range allows", async () => {
    const { run: ended } = await run([
      probe("any"),
      probe("first", { version: "^1.0.0" }),
      probe("exact", { version: "1.0.0" }),
    ]);
    expect(ended.tasks.map(({ expert }) => expert)).toEqual([
      "ProbeExpert@2.0.0",
      "ProbeExpert@1.2.0",
      "ProbeExpert@1.0.0",
    ]);
  });

  it("skips a task whose condition is false, and what depends on it", async () => {
    const { run: ended } = await run(
      [
        probe("a"),
        probe("no", { depends_on: ["a"], when: "run.inputs.deep == true" }),
        probe("behind", { depends_on: ["no"] }),
        probe("yes", { depends_on: ["a"], when: "tasks.a.output.attempt == 1" }),
      ],
      { deep: false },
    );
    expect(ended.status).toBe(RunStatus.SUCCEEDED);
    expect(ended.tasks.map(({ skipCause }) => skipCause)).toEqual([
      SkipCause.UNSPECIFIED,
      SkipCause.CONDITION,
      SkipCause.UPSTREAM,
      SkipCause.UNSPECIFIED,
    ]);
  });

  it("hands outputs on by bindings, by upstream and by the shared context", async () => {
    const { run: ended } = await run(
      [
        probe("a", { inputs: { list: [1, 2, 3], who: bound("run.inputs.name") } }),
        probe("s", { action: "share", inputs: { key: "seen" } }),
        probe("b", {
          depends_on: ["a", "s"],
          inputs: {
            sum: bound("tasks.a.output.input.list[2] + 4.0"),
            text: `hello ${bound("tasks.a.output.input.who")}`,
            list: bound("tasks.a.output.input.list"),
          },
        }),
      ],
      { name: "Ada" },
    );
    const { input, upstream, shared } = outputOf(ended.tasks[2]);
    expect(input).toEqual({ sum: 7, text: "hello Ada", list: [1, 2, 3] });
    expect(upstream).toMatchObject({ a: { input: { who: "Ada" } } });
    expect(shared).toMatchObject({ seen: { value: "s", version: 1, taskId: "s", expert: "ProbeExpert@2.0.0" } });
  });

  it("fails an attempt that another's write overtook, and tries it again on what is there", async () => {
    const retry = { max_attempts: 3, initial_interval: "0.01s" };
    const race = (id: string, afterMs: number) =>
      probe(id, { action: "share", inputs: { key: "one", expectedVersion: 0, afterMs }, retry });
    const { run: ended, events } = await run([race("quick", 0), race("late", 60)]);
    const conflicts = events.flatMap(({ kind }) => (kind.case === "taskFailed" ? [kind.value] : []));
    expect(conflicts.map(({ task, failure }) => [task, reasonName(failure?.reason ?? 0)])).toEqual([
      [1, "CONTEXT_CONFLICT"],
    ]);
    expect(ended.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
      [TaskStatus.SUCCEEDED, 1],
      [TaskStatus.SUCCEEDED, 2],
    ]);
    expect((await engine.report(ended.runId)).context).toMatchObject([{ key: "one", version: 2n, taskId: "late" }]);
  });

  it("commits nothing of an attempt that fails, and tries as often as the policy says", async () => {
    const retry = { max_attempts: 3, initial_interval: "0.01s" };
    const { run: ended, events } = await run([
      probe("heals", { action: "fail", inputs: { times: 2 }, retry }),
      probe("never", { action: "fail", inputs: { times: 9 }, retry }),
      probe("once", { action: "fail", inputs: { times: 1 } }),
    ]);
    expect(ended.status).toBe(RunStatus.FAILED);
    expect(ended.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
      [TaskStatus.SUCCEEDED, 3],
      [TaskStatus.FAILED, 3],
      [TaskStatus.FAILED, 1],
    ]);
    expect((await engine.report(ended.runId)).context).toMatchObject([{ key: "tries", version: 1n, taskId: "heals" }]);
    const keys = events.flatMap(({ kind }) =>
      kind.case === "taskStarted" && kind.value.task === 0 ? [kind.value.idempotencyKey] : [],
    );
    expect(new Set(keys).size, "the attempts of one effect share their key").toBe(1);
  });

  it("fails a task whose expert breaks its own schema, or gets input that breaks it", async () => {
    const { run: ended } = await run([
      probe("out", { action: "break_word" }),
      probe("in", { action: "hold", inputs: { gate: 7 } }),
    ]);
    expect(ended.tasks.map(({ failure }) => reasonName(failure?.reason ?? 0))).toEqual([
      "OUTPUT_INVALID",
      "INPUT_INVALID",
    ]);
  });

  it("skips what stands behind a failure, and still ends the rest", async () => {
    const { run: ended } = await run([
      probe("bad", { action: "fail", inputs: { times: 1 } }),
      probe("behind", { depends_on: ["bad"] }),
      probe("aside"),
    ]);
    expect(ended.tasks.map(({ status }) => status)).toEqual([
      TaskStatus.FAILED,
      TaskStatus.SKIPPED,
      TaskStatus.SUCCEEDED,
    ]);
    expect(ended.failure?.reason).toBe(ended.tasks[0]?.failure?.reason);
  });

  it.each([false, true])("cancels a run whose expert does not listen: %s", async (deaf) => {
    const name = `cancel-${deaf}`;
    const opening = gate(name);
    const runId = await start([
      probe("held", { action: "hold", inputs: { gate: name, deaf } }),
      probe("after", { depends_on: ["held"] }),
    ]);
    await opening.arrivals(1);
    await engine.runs.cancelRun({ runId, reason: "enough" });
    const { run: ended, events } = await watchToEnd(engine.runs, runId);
    opening.open();
    expect(ended.status).toBe(RunStatus.CANCELLED);
    expect(ended.tasks.map(({ status }) => status)).toEqual([TaskStatus.CANCELLED, TaskStatus.CANCELLED]);
    expect(events.at(-1)?.kind.case).toBe("runCompleted");
    expect((await engine.runs.getRun({ runId })).run?.lastSeq, "a terminal run never changes").toBe(events.at(-1)?.seq);
  });

  it("fails an attempt at its timeout, also where its expert does not listen", async () => {
    const opening = gate("slow");
    const { run: ended } = await run([
      probe("held", { action: "hold", inputs: { gate: "slow", deaf: true }, timeout: "0.2s" }),
    ]);
    opening.open();
    expect(reasonName(ended.tasks[0]?.failure?.reason ?? 0)).toBe("DEADLINE_EXCEEDED");
    expect(ended.tasks[0]?.failure?.message).toContain("0.2 s");
  });

  it("runs the tasks of quick chains while a slow task of another chain is under way", async () => {
    const opening = gate("dataflow");
    const chain = (name: string, slow: number) =>
      [0, 1, 2, 3].map((i) =>
        probe(`${name}${i}`, {
          ...(i === slow ? { action: "hold", inputs: { gate: "dataflow" } } : { inputs: {} }),
          ...(i > 0 ? { depends_on: [`${name}${i - 1}`] } : {}),
        }),
      );
    const runId = await start([chain("a", 0), chain("b", 1), chain("c", 2), chain("d", 9)].flat());
    await opening.arrivals(3);
    for (let ended = false; !ended; ) {
      const { run: now } = await engine.runs.getRun({ runId });
      ended = now?.tasks.find(({ taskId }) => taskId === "d3")?.status === TaskStatus.SUCCEEDED;
    }
    opening.open();
    const { run: all, events } = await watchToEnd(engine.runs, runId);
    const order = events.flatMap(({ kind }) =>
      kind.case === "taskCompleted" ? [all.tasks[kind.value.task]?.taskId ?? ""] : [],
    );
    const place = (id: string) => order.indexOf(id);
    expect([...opening.entered].sort()).toEqual(["a0", "b1", "c2"]);
    for (const early of ["b0", "c0", "c1", "d0", "d1", "d2", "d3"])
      expect(place(early), early).toBeLessThan(place("a0"));
    expect(all.status).toBe(RunStatus.SUCCEEDED);
  });

  it("lets tasks wait for a busy expert, the longest way ahead first", async () => {
    const opening = gate("queue");
    const single = (id: string, more: object = {}) => ({
      id,
      expert: "SingleExpert",
      action: "hold",
      inputs: { gate: "queue" },
      ...more,
    });
    const runId = await start([
      single("first"),
      single("short"),
      single("long"),
      probe("l1", { depends_on: ["long"] }),
      probe("l2", { depends_on: ["l1"] }),
      single("middle"),
      probe("m1", { depends_on: ["middle"] }),
    ]);
    await opening.arrivals(1);
    const { run: now } = await engine.runs.getRun({ runId });
    expect(now?.tasks.filter(({ status }) => status === TaskStatus.RUNNING)).toHaveLength(1);
    const listed = (await engine.experts.getExpert({ expertId: "SingleExpert" })).expert;
    expect(listed).toMatchObject({ currentLoad: 1, maxConcurrentTasks: 1 });
    opening.open();
    await watchToEnd(engine.runs, runId);
    const [begun, ...rest] = opening.entered;
    expect(begun).toBe("long");
    expect(rest).toEqual(["middle", "first", "short"]);
  });
});

describe("an engine that stops and starts again", () => {
  it("goes on with its run: what is done stays done, what was under way is done again under its key", {
    timeout: 90_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "odg-store-"));
    temporary.push(folder);
    const config = { store: { kind: "embedded" as const, folder }, experts: [PROBE_EXPERT] };
    const opening = gate("resume");
    const tasks = [
      { id: "done", action: "echo" },
      { id: "held", action: "hold", inputs: { gate: "resume" }, depends_on: ["done"] },
      { id: "after", action: "echo", depends_on: ["held"] },
    ];
    const first = await startEngine(config);
    const { run } = await first.runs.startRun({ source: { case: "workflow", value: workflowOf(tasks) } });
    const runId = run?.runId ?? "";
    await opening.arrivals(1);
    await first.close();

    const second = await startEngine(config);
    try {
      await opening.arrivals(2);
      opening.open();
      const { run: ended, events } = await watchToEnd(second.runs, runId);
      expect(ended.status).toBe(RunStatus.SUCCEEDED);
      expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, i) => i + 1));
      const completed = events.flatMap(({ kind }) => (kind.case === "taskCompleted" ? [kind.value.task] : []));
      expect(completed).toEqual([0, 1, 2]);
      const keys = events.flatMap(({ kind }) =>
        kind.case === "taskStarted" && kind.value.task === 1 ? [kind.value.idempotencyKey] : [],
      );
      expect(new Set(keys).size).toBe(1);
      expect((await second.runs.listRuns({})).runs.map((one) => one.runId)).toEqual([runId]);
    } finally {
      await second.close();
    }
  });
});
