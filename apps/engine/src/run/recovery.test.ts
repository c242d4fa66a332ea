// What an engine finds that goes on with the runs of one that ended: everything stands as it stood.
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Run, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { USER_HEADER } from "@odg/rpc";
import { parseWorkflow } from "@odg/workflow";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryDatabase } from "../store/memory-database.ts";
import { type EngineUnderTest, gate, PROBE_EXPERT, startEngine, watchToEnd, workflowOf } from "../testing/index.ts";

const bound = (expression: string) => `\${${expression}}`;
const echo = (id: string, more: object = {}) => ({ id, expert: "ProbeExpert", action: "echo", ...more });
const hold = (id: string, name: string, more: object = {}) =>
  echo(id, { action: "hold", inputs: { gate: name }, ...more });
const as = (user: string) => ({ headers: { [USER_HEADER]: user } });

let open: EngineUnderTest | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** Engines that follow each other under one name. */
function succession() {
  const database = new MemoryDatabase();
  return async (): Promise<EngineUnderTest> => {
    await open?.close();
    open = await startEngine({ store: { kind: "memory", database }, experts: [PROBE_EXPERT], name: "one" });
    return open;
  };
}

async function start({ runs }: EngineUnderTest, tasks: object[], more: object = {}): Promise<string> {
  const parsed = parseWorkflow(JSON.stringify({ workflow_id: "under_test", tasks, ...more }), "test.json");
  if (!parsed.workflow) throw new Error(parsed.issues[0]?.message);
  return (await runs.startRun({ source: { case: "workflow", value: parsed.workflow } })).run?.runId ?? "";
}

async function until({ runs }: EngineUnderTest, runId: string, wanted: (run: Run) => boolean): Promise<Run> {
  for (let tries = 0; tries < 500; tries++) {
    const { run } = await runs.getRun({ runId });
    if (run && wanted(run)) return run;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came to that");
}

describe("an engine that goes on with a run", () => {
  it("leaves it paused, and lets it go on when it is resumed", async () => {
    const next = succession();
    const first = await next();
    const opening = gate("recover-paused");
    const runId = await start(first, [hold("held", "recover-paused"), echo("after", { depends_on: ["held"] })]);
    await opening.arrivals(1);
    await first.runs.pauseRun({ runId });
    const second = await next();
    await opening.arrivals(2);
    opening.open();
    const paused = await until(second, runId, ({ tasks }) => tasks[0]?.status === TaskStatus.SUCCEEDED);
    expect(paused.status).toBe(RunStatus.PAUSED);
    await second.runs.resumeRun({ runId });
    expect((await watchToEnd(second.runs, runId)).run.status).toBe(RunStatus.SUCCEEDED);
  });

  it("knows who was asked for consent, until when, and lets it escalate", async () => {
    const next = succession();
    const first = await next();
    const approval = { question: "?", approvers: ["bob"], escalate_to: ["carol"], deadline: "0.4s" };
    const runId = await start(first, [echo("guarded", { approval })]);
    await until(first, runId, ({ tasks }) => tasks[0]?.status === TaskStatus.WAITING_APPROVAL);
    const second = await next();
    expect((await second.runs.listApprovals({ runId })).approvals).toHaveLength(1);
    await until(second, runId, ({ tasks }) => tasks[0]?.approval?.escalated === true);
    await second.runs.decideApproval({ runId, taskId: "guarded", approve: true, reason: "" }, as("carol"));
    const { run } = await watchToEnd(second.runs, runId);
    expect(run.tasks[0]).toMatchObject({ status: TaskStatus.SUCCEEDED, approval: { decidedBy: "carol" } });
  });

  it("goes on with the items that have not ended, under their keys", async () => {
    const next = succession();
    const first = await next();
    const opening = gate("recover-items");
    const large = "x".repeat(300_000);
    const runId = await start(first, [
      echo("list", { inputs: { text: large } }),
      hold("each", "recover-items", {
        depends_on: ["list"],
        inputs: { gate: bound("item.gate") },
        for_each: {
          items: "[1, 2, 3, 4].map(n, {'gate': 'recover-items', 'n': n, 'text': tasks.list.output.input.text})",
          max_concurrency: 2,
        },
      }),
    ]);
    await opening.arrivals(2);
    const second = await next();
    await opening.arrivals(4);
    opening.open();
    const { run, events } = await watchToEnd(second.runs, runId);
    expect(run.tasks[1]?.items).toMatchObject({ total: 4, succeeded: 4 });
    expect(toJson(ValueSchema, run.tasks[1]?.output ?? ({} as never)) as JsonValue[]).toHaveLength(4);
    const started = events.flatMap(({ kind }) =>
      kind.case === "taskStarted" && kind.value.task === 1 ? [kind.value.idempotencyKey] : [],
    );
    expect(started.sort()).toEqual([1, 2, 3, 4].map((item) => `${runId}/each[${item}]/1`));
  });

  it("finds the run of a sub-workflow again, and starts no other", async () => {
    const next = succession();
    const first = await next();
    const opening = gate("recover-child");
    await first.workflows.publishWorkflow({ workflow: workflowOf([hold("held", "recover-child")], "child") });
    const runId = await start(first, [{ id: "sub", workflow: "child" }]);
    await opening.arrivals(1);
    const second = await next();
    await opening.arrivals(2);
    opening.open();
    const { run } = await watchToEnd(second.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    const { runs } = await second.runs.listRuns({});
    expect(runs.map((one) => one.runId).sort()).toEqual([runId, run.tasks[0]?.childRunId].sort());
  });

  it("ends it at its deadline, which goes on while nobody drives it", async () => {
    const next = succession();
    const first = await next();
    const opening = gate("recover-deadline");
    const runId = await start(first, [hold("held", "recover-deadline")], { timeout: "0.5s" });
    await opening.arrivals(1);
    const second = await next();
    const { run } = await watchToEnd(second.runs, runId);
    opening.open();
    expect(run).toMatchObject({ status: RunStatus.FAILED, failure: { reason: Reason.DEADLINE_EXCEEDED } });
  });

  it("waits only for what is left of the time before the next attempt", async () => {
    const next = succession();
    const first = await next();
    const retry = { max_attempts: 2, initial_interval: "0.3s", retry_on: ["EXPERT_FAILED"] };
    const runId = await start(first, [echo("heals", { action: "fail", inputs: { times: 1 }, retry })]);
    await until(first, runId, ({ tasks }) => (tasks[0]?.attempts ?? 0) >= 1 && tasks[0]?.failure !== undefined);
    const second = await next();
    const { run } = await watchToEnd(second.runs, runId);
    expect(run.tasks[0]).toMatchObject({ status: TaskStatus.SUCCEEDED, attempts: 2 });
  });

  it("cancels the run of a sub-workflow whose parent was being cancelled", async () => {
    const next = succession();
    const first = await next();
    const opening = gate("recover-cancel");
    await first.workflows.publishWorkflow({ workflow: workflowOf([hold("held", "recover-cancel")], "child") });
    const runId = await start(first, [{ id: "sub", workflow: "child" }]);
    await opening.arrivals(1);
    await first.runs.cancelRun({ runId });
    const second = await next();
    const { run } = await watchToEnd(second.runs, runId);
    expect(run.status).toBe(RunStatus.CANCELLED);
    const child = run.tasks[0]?.childRunId ?? "";
    await until(second, child, ({ status }) => status === RunStatus.CANCELLED);
  });
});
