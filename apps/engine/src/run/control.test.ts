// What people and workflows may do to runs, through a real engine.
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  ApprovalStatus,
  type Event,
  type Run,
  RunStatus,
  type TaskState,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { reasonName, reasonOf, USER_HEADER } from "@odg/rpc";
import { parseWorkflow } from "@odg/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type EngineUnderTest,
  gate,
  PROBE_EXPERT,
  startEngine,
  watchToEnd,
  workflowOf,
  writeProbe,
} from "../testing/index.ts";

let engine: EngineUnderTest;
beforeAll(async () => {
  engine = await startEngine({
    experts: [PROBE_EXPERT, writeProbe({ name: "SingleExpert", capability: "single", maxConcurrentTasks: 1 })],
  });
});
afterAll(() => engine.close());

const as = (user: string) => ({ headers: { [USER_HEADER]: user } });
const bound = (expression: string) => `\${${expression}}`;
const echo = (id: string, more: object = {}) => ({ id, expert: "ProbeExpert", action: "echo", ...more });
const hold = (id: string, name: string, more: object = {}) => ({
  id,
  expert: "ProbeExpert",
  action: "hold",
  inputs: { gate: name },
  ...more,
});

function definition(tasks: readonly object[], more: object = {}) {
  const parsed = parseWorkflow(JSON.stringify({ workflow_id: "under_test", tasks, ...more }), "test.json");
  if (!parsed.workflow) throw new Error(parsed.issues.map(({ message }) => message).join("; "));
  return parsed.workflow;
}

async function start(tasks: readonly object[], { user = "", ...more }: { user?: string; [key: string]: unknown } = {}) {
  const source = { case: "workflow" as const, value: definition(tasks, more) };
  const { run } = await engine.runs.startRun({ source }, as(user));
  return run?.runId ?? "";
}

async function ended(runId: string): Promise<Run> {
  return (await watchToEnd(engine.runs, runId)).run;
}

async function current(runId: string): Promise<Run> {
  const { run } = await engine.runs.getRun({ runId });
  if (!run) throw new Error("no run");
  return run;
}

async function until(runId: string, wanted: (run: Run) => boolean): Promise<Run> {
  for (let tries = 0; tries < 1000; tries++) {
    const run = await current(runId);
    if (wanted(run)) return run;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came to that");
}

const outputOf = (task: TaskState | undefined): JsonValue | undefined =>
  task?.output && toJson(ValueSchema, task.output);
const statuses = ({ tasks }: Run) => tasks.map(({ status }) => TaskStatus[status]);
const refused = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const code = error instanceof ConnectError ? Code[error.code] : "";
  return error === undefined ? "accepted" : `${reasonName(reasonOf(error))} ${code}`;
};

describe("a run that is paused", () => {
  it("lets what is under way end, begins nothing, and goes on when it is resumed", async () => {
    const opening = gate("pause");
    const runId = await start([hold("first", "pause"), echo("second", { depends_on: ["first"] })]);
    await opening.arrivals(1);
    const { run: paused } = await engine.runs.pauseRun({ runId, reason: "lunch" }, as("alice"));
    expect(paused?.status).toBe(RunStatus.PAUSED);
    opening.open();
    await until(runId, ({ tasks }) => tasks[0]?.status === TaskStatus.SUCCEEDED);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(statuses(await current(runId))).toEqual(["SUCCEEDED", "READY"]);
    expect((await engine.runs.pauseRun({ runId })).run?.status, "pausing twice").toBe(RunStatus.PAUSED);
    await engine.runs.resumeRun({ runId }, as("alice"));
    expect((await ended(runId)).status).toBe(RunStatus.SUCCEEDED);
    expect(await refused(engine.runs.pauseRun({ runId }))).toBe("STATE_INVALID FailedPrecondition");
  });

  it("takes back what waits for a busy expert, and may be cancelled", async () => {
    const opening = gate("busy");
    const single = (id: string) => hold(id, "busy", { expert: "SingleExpert" });
    const runId = await start([single("a"), single("b")]);
    await opening.arrivals(1);
    await engine.runs.pauseRun({ runId });
    opening.open();
    await until(runId, ({ tasks }) => tasks.some(({ status }) => status === TaskStatus.SUCCEEDED));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(opening.entered).toHaveLength(1);
    await engine.runs.cancelRun({ runId });
    expect((await ended(runId)).status).toBe(RunStatus.CANCELLED);
  });
});

describe("a consent", () => {
  const asked = (more: object = {}) => [
    echo("before"),
    echo("guarded", { depends_on: ["before"], approval: { question: "Delete it?", ...more } }),
  ];
  const waiting = (runId: string) =>
    until(runId, ({ tasks }) => tasks.some(({ status }) => status === TaskStatus.WAITING_APPROVAL));

  it("is listed, given by somebody else, and once", async () => {
    const runId = await start(asked({ approvers: ["bob", "alice"] }), { user: "alice" });
    await waiting(runId);
    const { approvals } = await engine.runs.listApprovals({ runId });
    expect(approvals).toMatchObject([
      {
        runId,
        taskId: "guarded",
        requestedBy: "alice",
        approval: { question: "Delete it?", approvers: ["bob", "alice"] },
      },
    ]);
    const decide = (user: string, approve: boolean) =>
      engine.runs.decideApproval({ runId, taskId: "guarded", approve, reason: "looked at it" }, as(user));
    expect(await refused(decide("alice", true)), "one's own request").toBe("POLICY_DENIED PermissionDenied");
    expect(await refused(decide("mallory", true)), "not an approver").toBe("POLICY_DENIED PermissionDenied");
    expect(await refused(decide("", true)), "nobody").toBe("POLICY_DENIED PermissionDenied");
    const { approval } = await decide("bob", true);
    expect(approval).toMatchObject({ status: ApprovalStatus.APPROVED, decidedBy: "bob", reason: "looked at it" });
    expect((await decide("bob", true)).approval).toEqual(approval);
    expect(await refused(decide("bob", false))).toBe("STATE_INVALID Aborted");
    const run = await ended(runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect((await decide("bob", true)).approval, "also behind the end").toEqual(approval);
    expect((await engine.runs.listApprovals({ runId })).approvals).toEqual([]);
    expect(await refused(engine.runs.decideApproval({ runId, taskId: "nothing", approve: true }, as("bob")))).toBe(
      "NOT_FOUND NotFound",
    );
  });

  it("that is denied fails its task, and not the branches beside it", async () => {
    const runId = await start([...asked(), echo("aside")]);
    await waiting(runId);
    await engine.runs.decideApproval({ runId, taskId: "guarded", approve: false, reason: "no" }, as("bob"));
    const run = await ended(runId);
    expect(statuses(run)).toEqual(["SUCCEEDED", "FAILED", "SUCCEEDED"]);
    expect(run.tasks[1]?.failure?.reason).toBe(Reason.APPROVAL_REJECTED);
  });

  it("escalates where nobody decides in time, and expires where that does not help", async () => {
    const runId = await start(asked({ approvers: ["bob"], deadline: "0.15s", escalate_to: ["carol"] }));
    const run = await until(runId, ({ tasks }) => tasks[1]?.approval?.escalated === true);
    expect(run.tasks[1]?.approval?.approvers).toEqual(["bob", "carol"]);
    const last = await ended(runId);
    expect(last.tasks[1]?.failure?.reason).toBe(Reason.APPROVAL_EXPIRED);
    const late = engine.runs.decideApproval({ runId, taskId: "guarded", approve: true }, as("carol"));
    expect(await refused(late)).toBe("STATE_INVALID FailedPrecondition");
  });

  it("alone is a task whose output names who gave it", async () => {
    const runId = await start([
      { id: "consent", approval: { question: `Shall run ${bound("run.id")} go on?` } },
      echo("after", { depends_on: ["consent"], inputs: { by: bound("tasks.consent.output.approved_by") } }),
    ]);
    const asking = await waiting(runId);
    expect(asking.tasks[0]?.approval?.question).toBe(`Shall run ${runId} go on?`);
    await engine.runs.decideApproval({ runId, taskId: "consent", approve: true, reason: "yes" }, as("bob"));
    expect(outputOf((await ended(runId)).tasks[1])).toMatchObject({ input: { by: "bob" } });
  });

  it("in parallel branches waits for each by itself", async () => {
    const runId = await start(["a", "b", "c"].map((id) => echo(id, { approval: { question: id } })));
    await until(runId, ({ tasks }) => tasks.every(({ status }) => status === TaskStatus.WAITING_APPROVAL));
    await Promise.all(
      ["a", "b", "c", "a"].map((taskId) => engine.runs.decideApproval({ runId, taskId, approve: true }, as("bob"))),
    );
    const { run, events } = await watchToEnd(engine.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    expect(events.filter(({ kind }) => kind.case === "approvalDecided")).toHaveLength(3);
  });
});

describe("a task for each item of a list", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

  it("answers the items' outputs in their order, not more than so many at once", async () => {
    const runId = await start([
      echo("list", { inputs: { values: numbers(25) } }),
      echo("each", {
        depends_on: ["list"],
        inputs: { item: bound("item"), index: bound("index") },
        for_each: { items: "tasks.list.output.input.values", max_concurrency: 4 },
      }),
      echo("after", { depends_on: ["each"], inputs: { last: bound("tasks.each.output[24].input.item") } }),
    ]);
    const { run, events } = await watchToEnd(engine.runs, runId);
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    const list = outputOf(run.tasks[1]) as { input: { item: number; index: number }; idempotencyKey: string }[];
    expect(list.map(({ input }) => [input.item, input.index])).toEqual(numbers(25).map((i) => [i, i]));
    expect(new Set(list.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(25);
    expect(list[0]?.idempotencyKey).toBe(`${runId}/each[1]/1`);
    expect(run.tasks[1]?.items).toMatchObject({ total: 25, active: 0, succeeded: 25, failed: 0 });
    expect(outputOf(run.tasks[2])).toMatchObject({ input: { last: 24 } });
    expect(mostAtOnce(events, 1)).toBeLessThanOrEqual(4);
  });

  it("ends with the first item that fails for good; what is under way goes on", async () => {
    const runId = await start([
      echo("each", {
        action: "fail",
        inputs: { times: bound("item") },
        retry: { max_attempts: 2, initial_interval: "0.01s", retry_on: ["EXPERT_FAILED"] },
        for_each: { items: "[0, 1, 5, 0, 0, 0]", max_concurrency: 1 },
      }),
    ]);
    const run = await ended(runId);
    expect(run.tasks[0]).toMatchObject({ status: TaskStatus.FAILED, failure: { reason: Reason.ITEM_FAILED } });
    expect(run.tasks[0]?.failure?.subject).toBe("tasks.each[3]");
    expect(run.tasks[0]?.items).toMatchObject({ total: 6, succeeded: 2, failed: 1 });
  });

  it("of an empty list ends at once, and of what is no list fails", async () => {
    const each = (id: string, items: string) => echo(id, { inputs: { item: bound("item") }, for_each: { items } });
    const run = await ended(await start([each("none", "[]"), each("text", "'no list'")]));
    expect(outputOf(run.tasks[0])).toEqual([]);
    expect(run.tasks[1]).toMatchObject({ status: TaskStatus.FAILED, attempts: 0 });
  });

  it("keeps large items and outputs beside the journal, and binds them all the same", async () => {
    const runId = await start([
      echo("large", { inputs: { values: [1, 2].map((one) => `${one}${"x".repeat(200_000)}`) } }),
      echo("each", {
        depends_on: ["large"],
        inputs: { value: bound("item") },
        for_each: { items: "tasks.large.output.input.values" },
      }),
      echo("after", { depends_on: ["each"], when: "size(tasks.each.output[1].input.value) == 200001" }),
    ]);
    const { run, events } = await watchToEnd(engine.runs, runId);
    expect(run.tasks.map(({ failure }) => failure?.message)).toEqual([undefined, undefined, undefined]);
    expect(run.tasks[2]?.status).toBe(TaskStatus.SUCCEEDED);
    for (const number of [0, 1]) expect(Number(run.tasks[number]?.outputBlob?.size)).toBeGreaterThan(400_000);
    const { output } = await engine.runs.getTaskOutput({ runId, taskId: "each" });
    expect(output && (toJson(ValueSchema, output) as { input: { value: string } }[])[1]?.input.value).toMatch(/^2x{9}/);
    expect(await refused(engine.runs.getTaskOutput({ runId, taskId: "eahc" }))).toBe("NOT_FOUND NotFound");
    const expanded = events.find(({ kind }) => kind.case === "taskExpanded")?.kind;
    expect(expanded?.case === "taskExpanded" && expanded.value.itemsBlob?.digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

/** Attempts of a task that were under way together, at most. */
function mostAtOnce(events: readonly Event[], task: number): number {
  let [now, most] = [0, 0];
  for (const { kind } of events) {
    if (kind.case === "taskStarted" && kind.value.task === task) most = Math.max(most, ++now);
    if (kind.case === "taskCompleted" && kind.value.task === task) now--;
  }
  return most;
}

describe("a task that is a workflow", () => {
  beforeAll(async () => {
    await engine.workflows.publishWorkflow({
      workflow: workflowOf(
        [
          echo("inner", { inputs: { word: bound("run.inputs.word") } }),
          echo("blurt", { action: "blurt", inputs: { text: "found" }, depends_on: ["inner"] }),
        ],
        "child",
      ),
    });
    await engine.workflows.publishWorkflow({ workflow: workflowOf([{ id: "again", workflow: "loop" }], "loop") });
    await engine.workflows.publishWorkflow({ workflow: workflowOf([hold("held", "child")], "holding") });
  });

  it("is a run of its own, whose last outputs and findings come back", async () => {
    const runId = await start([
      { id: "sub", workflow: "child", inputs: { word: "hello" } },
      echo("after", { depends_on: ["sub"], inputs: { text: bound("tasks.sub.output.blurt.text") } }),
    ]);
    const run = await ended(runId);
    expect(run.tasks.map(({ failure }) => failure?.message)).toEqual([undefined, undefined]);
    expect(outputOf(run.tasks[1])).toMatchObject({ input: { text: "found" } });
    const child = await current(run.tasks[0]?.childRunId ?? "");
    expect(child).toMatchObject({ workflowId: "child", parent: { runId, task: 0, attempt: 1 } });
    expect(outputOf(child.tasks[0])).toMatchObject({ input: { word: "hello" } });
    const { findings } = await engine.report(runId);
    expect(findings.map(({ taskId, finding }) => [taskId, finding?.id])).toEqual([["sub", "sub/blurt#1"]]);
  });

  it("is cancelled with its parent", async () => {
    const opening = gate("child");
    const runId = await start([{ id: "sub", workflow: "holding" }]);
    await opening.arrivals(1);
    await engine.runs.cancelRun({ runId });
    const run = await ended(runId);
    expect(run.status).toBe(RunStatus.CANCELLED);
    expect((await ended(run.tasks[0]?.childRunId ?? "")).status).toBe(RunStatus.CANCELLED);
  });

  it("ends where workflows run themselves too deep", async () => {
    const run = await ended(await start([{ id: "sub", workflow: "loop" }]));
    expect(run.tasks[0]?.failure?.reason).toBe(Reason.CHILD_RUN_FAILED);
    expect(run.tasks[0]?.failure?.message).toContain("at most 8 deep");
  });
});

describe("a workflow", () => {
  const fails = (id: string, more: object = {}) => echo(id, { action: "fail", inputs: { times: 9 }, ...more });

  it("goes on behind a failure where the trigger rules say so", async () => {
    const run = await ended(
      await start([
        fails("bad"),
        echo("good"),
        echo("skipped", { when: "false" }),
        echo("all", { depends_on: ["bad", "good"] }),
        echo("done", { depends_on: ["bad", "good"], trigger_rule: "all_done" }),
        echo("one", { depends_on: ["bad", "good"], trigger_rule: "one_success" }),
        echo("none", { depends_on: ["good", "skipped"], trigger_rule: "none_failed" }),
      ]),
    );
    expect(statuses(run).slice(3)).toEqual(["SKIPPED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    expect(run.status).toBe(RunStatus.FAILED);
  });

  it("decides a condition once: what it read may change before the next attempt", async () => {
    const opening = gate("once");
    const runId = await start([
      hold("slow", "once"),
      echo("good"),
      echo("one", {
        action: "fail",
        inputs: { times: 1 },
        depends_on: ["slow", "good"],
        trigger_rule: "one_success",
        when: "tasks.slow.status != 'SUCCEEDED'",
        retry: { max_attempts: 2, initial_interval: "1s" },
      }),
    ]);
    await until(runId, ({ tasks }) => tasks[2]?.status === TaskStatus.WAITING_RETRY);
    opening.open();
    expect(statuses(await ended(runId))).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
  });

  it("that fails fast cancels what has nothing to do with the failure", async () => {
    const opening = gate("fast");
    const runId = await start([hold("held", "fast"), fails("bad"), echo("behind", { depends_on: ["held"] })], {
      on_failure: "fail_fast",
    });
    const run = await ended(runId);
    opening.open();
    expect(statuses(run)).toEqual(["CANCELLED", "FAILED", "CANCELLED"]);
    expect(run.status).toBe(RunStatus.FAILED);
  });

  it("that takes longer than it may fails, also while it is paused", async () => {
    const opening = gate("late");
    const runId = await start([hold("held", "late")], { timeout: "0.3s" });
    await opening.arrivals(1);
    await engine.runs.pauseRun({ runId });
    const run = await ended(runId);
    opening.open();
    expect(run).toMatchObject({ status: RunStatus.FAILED, failure: { reason: Reason.DEADLINE_EXCEEDED } });
    expect(statuses(run)).toEqual(["CANCELLED"]);
  });

  it("gives up a task that waits too long for an expert, or whose expert falls silent", async () => {
    const opening = gate("limits");
    const runId = await start([
      hold("busy", "limits", { expert: "SingleExpert", idle_timeout: "0.4s" }),
      hold("waits", "limits", { expert: "SingleExpert", queue_timeout: "0.1s" }),
    ]);
    const run = await ended(runId);
    opening.open();
    const subjects = run.tasks.map(({ failure }) => failure?.subject).sort();
    expect(subjects).toEqual(["tasks.busy.idle_timeout", "tasks.waits.queue_timeout"]);
  });

  it("shares a limit with other workflows by its key", async () => {
    const opening = gate("keys");
    const limited = (id: string) =>
      hold(id, "keys", { concurrency: { key: `tenant-${bound("run.inputs.tenant")}`, limit: 2 } });
    const inputs = { tenant: "t1" };
    const [one, two] = [
      await start([limited("a"), limited("b")], { inputs }),
      await start([limited("c"), limited("d")], { inputs }),
    ];
    await opening.arrivals(2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(opening.entered).toHaveLength(2);
    opening.open();
    for (const runId of [one, two]) expect((await ended(runId)).status).toBe(RunStatus.SUCCEEDED);
    expect(opening.entered).toHaveLength(4);
  });
});

describe("a fork", () => {
  it("works for what failed and what depends on it, and takes over the rest, marked", async () => {
    const name = "fork";
    const opening = gate(name);
    const runId = await start(
      [
        echo("kept", { action: "share", inputs: { key: "shared" } }),
        hold("stuck", name, { depends_on: ["kept"], timeout: "0.2s" }),
        echo("behind", { depends_on: ["stuck"] }),
        echo("aside", { action: "blurt", inputs: { text: "kept" } }),
      ],
      { user: "alice" },
    );
    expect(statuses(await ended(runId))).toEqual(["SUCCEEDED", "FAILED", "SKIPPED", "SUCCEEDED"]);
    opening.open();
    const request = { runId, requestId: crypto.randomUUID() };
    const { run: forked } = await engine.runs.forkRun(request, as("bob"));
    const again = await engine.runs.forkRun(request, as("bob"));
    expect(again.run?.runId).toBe(forked?.runId);
    const run = await ended(forked?.runId ?? "");
    expect(run).toMatchObject({ status: RunStatus.SUCCEEDED, forkedFrom: runId, user: "bob" });
    expect(run.tasks.map(({ reusedFrom }) => reusedFrom)).toEqual([runId, "", "", runId]);
    expect(run.tasks[3]?.expert).toBe("ProbeExpert@1.0.0");
    expect((await engine.report(run.runId)).findings).toHaveLength(1);
    const { entries } = await engine.runs.getRunContext({ runId: run.runId });
    expect(entries.map(({ key, taskId }) => [key, taskId])).toContainEqual(["shared", "kept"]);
  });

  it("may be paused while it takes over results", async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `t${i}`);
    const runId = await start([
      ...ids.map((id) => echo(id)),
      echo("last", { depends_on: ids, action: "fail", inputs: { times: 1 } }),
    ]);
    await ended(runId);
    const forked = (await engine.runs.forkRun({ runId })).run?.runId ?? "";
    for (let i = 0; i < 3; i++) {
      await engine.runs.pauseRun({ runId: forked }).catch(() => undefined);
      await engine.runs.resumeRun({ runId: forked }).catch(() => undefined);
    }
    const run = await ended(forked);
    expect(run.tasks.slice(0, 50).map(({ reusedFrom }) => reusedFrom)).toEqual(ids.map(() => runId));
    expect(run.tasks[50]?.failure?.reason, "its expert fails again").toBe(Reason.EXPERT_FAILED);
  });

  it("from a task takes other inputs, and needs a run that has ended", async () => {
    const opening = gate("unended");
    const open = await start([hold("held", "unended")]);
    expect(await refused(engine.runs.forkRun({ runId: open }))).toBe("STATE_INVALID FailedPrecondition");
    opening.open();
    await ended(open);
    const runId = await start([
      echo("first"),
      echo("second", { depends_on: ["first"], inputs: { n: 1 } }),
      echo("third", { depends_on: ["second"], inputs: { n: bound("tasks.second.output.input.n") } }),
    ]);
    await ended(runId);
    expect(await refused(engine.runs.forkRun({ runId }))).toBe("STATE_INVALID FailedPrecondition");
    expect(await refused(engine.runs.forkRun({ runId, fromTask: "secnod" }))).toBe("NOT_FOUND NotFound");
    const { run: forked } = await engine.runs.forkRun({ runId, fromTask: "second", taskInputs: { n: 2 } });
    const run = await ended(forked?.runId ?? "");
    expect(outputOf(run.tasks[2])).toMatchObject({ input: { n: 2 } });
    expect(run.tasks.map(({ reusedFrom }) => reusedFrom !== "")).toEqual([true, false, false]);
  });

  it("takes over a consent as long as nothing is edited, and asks again where something is", async () => {
    const runId = await start([
      { id: "consent", approval: { question: "Go on?" } },
      echo("guarded", { depends_on: ["consent"] }),
      echo("free"),
    ]);
    const agree = (id: string) =>
      engine.runs.decideApproval({ runId: id, taskId: "consent", approve: true }, as("bob"));
    await until(runId, ({ tasks }) => tasks[0]?.approval?.status === ApprovalStatus.PENDING);
    await agree(runId);
    await ended(runId);
    const same = await engine.runs.forkRun({ runId, fromTask: "guarded", inputs: {} });
    expect((await ended(same.run?.runId ?? "")).tasks[0]?.reusedFrom).toBe(runId);
    const edited = (await engine.runs.forkRun({ runId, fromTask: "guarded", taskInputs: { n: 2 } })).run?.runId ?? "";
    await until(edited, ({ tasks }) => tasks[0]?.approval?.status === ApprovalStatus.PENDING);
    await agree(edited);
    expect((await ended(edited)).tasks.map(({ reusedFrom }) => reusedFrom)).toEqual(["", "", runId]);
  });
});

describe("what the tasks of a run share", () => {
  it("is watched: every key as it stands, then each change", async () => {
    const opening = gate("shares");
    const share = (id: string, key: string, more: object = {}) =>
      echo(id, { action: "share", inputs: { key }, ...more });
    const runId = await start([
      share("one", "a.x"),
      hold("held", "shares", { depends_on: ["one"] }),
      share("two", "a.x", { depends_on: ["held"] }),
      share("three", "b", { depends_on: ["held"] }),
    ]);
    await opening.arrivals(1);
    const seen: [string, bigint, string][] = [];
    for await (const { entry } of engine.runs.watchRunContext({ runId, keyPrefix: "a." })) {
      if (entry) seen.push([entry.key, entry.version, entry.taskId]);
      opening.open();
    }
    expect(seen).toEqual([
      ["a.x", 1n, "one"],
      ["a.x", 2n, "two"],
    ]);
  });
});
