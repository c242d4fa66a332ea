import { readdirSync, readFileSync } from "node:fs";
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ApprovalStatus, type Event, EventSchema, RunStatus, SkipCause } from "@odg/proto/odg/run/v1/run_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { checkHistory } from "./check-history.ts";
import { RunProjection } from "./projection.ts";
import { Journal, workflowOf } from "./testing/journal.ts";

/** The rules that a history breaks. */
function broken(journal: Journal, options = {}): string[] {
  return checkHistory(journal.events, options).map(({ rule }) => rule);
}

function begun(workflow: Workflow): Journal {
  const journal = new Journal();
  journal.started(workflow);
  return journal;
}

function of(
  ...tasks: NonNullable<NonNullable<Parameters<typeof create<typeof WorkflowSchema>>[1]>["tasks"]>
): Workflow {
  return create(WorkflowSchema, { workflowId: "w", tasks: tasks.map((task) => ({ action: "act", ...task })) });
}

const folder = new URL("../testdata/histories/", import.meta.url);

describe("a history that nothing broke", () => {
  test("is without violations: the recorded ones, as far as their events were taken", () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".jsonl"))) {
      const lines = readFileSync(new URL(name, folder), "utf8").trim().split("\n").slice(0, -1);
      const projection = new RunProjection();
      const events = lines
        .map((line) => fromJson(EventSchema, (JSON.parse(line) as { event: JsonValue }).event))
        .filter((event) => projection.apply(event))
        .map((event, i): Event => ({ ...event, seq: BigInt(i + 1) }));
      const terminated = name.startsWith("v1-replay-3") ? ["end", "end"] : [];
      expect([name, checkHistory(events).map(({ rule }) => rule)]).toEqual([name, terminated]);
    }
  });
});

describe("what a history may not hold", () => {
  test("a gap, a double, an event of another run, a wrong beginning", () => {
    const journal = begun(workflowOf({ a: [] }));
    journal.taskStarted(0, 1);
    const [started, first] = journal.events as [Event, Event];
    const rulesOf = (...events: Event[]) => checkHistory(events).map(({ rule }) => rule);
    expect(rulesOf(started, { ...first, seq: 3n })).toEqual(["sequence"]);
    expect(rulesOf(started, first, first)).toEqual(["sequence"]);
    expect(rulesOf(started, { ...first, runId: "x" })).toEqual(["other run"]);
    expect(rulesOf({ ...first, seq: 1n })).toContain("beginning");
  });

  test("a success that is recorded twice, or work that goes on behind it", () => {
    const journal = begun(workflowOf({ a: [], b: [] }));
    journal.taskStarted(0, 1);
    journal.completed(0, 1);
    expect(broken(journal)).toEqual([]);
    journal.completed(0, 1);
    journal.taskStarted(0, 2);
    expect(checkHistory(journal.events)).toMatchObject([
      { rule: "settled twice", seq: 4n, message: 'taskCompleted: task "a" goes on after it has SUCCEEDED.' },
      { rule: "settled twice", seq: 5n },
    ]);
  });

  test.each<[string, string, (journal: Journal) => void]>([
    ["all_success", "too early", (journal) => journal.failed(0, 1)],
    ["all_done", "too early", (journal) => journal.completed(0, 1)],
    ["one_success", "too early", (journal) => journal.failed(0, 1)],
    ["none_failed", "too early", (journal) => journal.failed(0, 1)],
  ])("under %s a task that begins %s", (triggerRule, rule, before) => {
    const journal = begun(of({ id: "a" }, { id: "b" }, { id: "c", dependsOn: ["a", "b"], triggerRule }));
    journal.taskStarted(0, 1);
    before(journal);
    if (triggerRule === "none_failed") journal.completed(1, 1);
    journal.taskStarted(2, 1);
    expect(broken(journal)).toEqual([rule]);
  });

  test("a task that is skipped although it might still begin, or after it began", () => {
    const journal = begun(workflowOf({ a: [], b: ["a"] }));
    journal.skipped(1, SkipCause.UPSTREAM);
    journal.taskStarted(0, 1);
    journal.skipped(0, SkipCause.CONDITION);
    expect(broken(journal)).toEqual(["skipped", "skipped"]);
  });

  test("an attempt that is out of turn, or begins before its wait is over", () => {
    const journal = begun(workflowOf({ a: [] }));
    journal.taskStarted(0, 1);
    journal.failed(0, 1, 5);
    journal.taskStarted(0, 2);
    journal.taskStarted(0, 4);
    expect(broken(journal)).toEqual(["attempts", "attempts", "attempts"]);
  });

  test("an attempt that is begun again by another engine is none of it", () => {
    const journal = begun(workflowOf({ a: [] }));
    journal.taskStarted(0, 1);
    journal.taskStarted(0, 1);
    journal.completed(0, 1);
    journal.ended(RunStatus.SUCCEEDED);
    expect(broken(journal)).toEqual([]);
  });

  test("work without the consent that it needs, and a consent that is decided twice", () => {
    const journal = begun(of({ id: "a", approval: {} }, { id: "b", approval: {} }));
    journal.taskStarted(0, 1);
    journal.event({ case: "approvalRequested", value: { task: 1 } });
    journal.event({ case: "approvalDecided", value: { task: 1, status: ApprovalStatus.APPROVED } });
    journal.event({ case: "approvalDecided", value: { task: 1, status: ApprovalStatus.REJECTED } });
    expect(broken(journal)).toEqual(["consent", "consent"]);
  });

  test("work that begins while the run is paused", () => {
    const journal = begun(workflowOf({ a: [] }));
    journal.event({ case: "runPaused", value: {} });
    journal.taskStarted(0, 1);
    expect(broken(journal)).toEqual(["paused"]);
  });

  test("items beyond the list or the limit, and a task that ends before them", () => {
    const journal = begun(of({ id: "a", forEach: { items: "[1, 2, 3]" } }));
    const item = (number: number) =>
      journal.event({ case: "taskStarted", value: { task: 0, item: number, attempt: 1 } });
    journal.event({ case: "taskExpanded", value: { task: 0, count: 3, maxConcurrency: 2 } });
    for (const number of [1, 2, 3, 4]) item(number);
    journal.completed(0, 1);
    expect(broken(journal)).toEqual(["concurrency", "items", "concurrency", "items"]);
  });

  test("an end that its tasks do not tell, and anything behind it", () => {
    const journal = begun(workflowOf({ a: [], b: [] }));
    journal.failed(0, 1);
    journal.ended(RunStatus.SUCCEEDED);
    journal.completed(1, 1);
    expect(broken(journal)).toEqual(["end", "end", "after the end"]);
  });

  test("a run that goes on for longer than the grace after its deadline", () => {
    const { workflowId, tasks } = workflowOf({ a: [] });
    const journal = begun(create(WorkflowSchema, { workflowId, tasks, timeout: { seconds: 60n } }));
    const deadline = 1_001_000 + 60_000;
    expect(broken(journal, { nowMs: deadline + 10_000 })).toEqual([]);
    expect(broken(journal, { nowMs: deadline + 10_001 })).toEqual(["deadline"]);
    expect(broken(journal, { nowMs: deadline + 2, graceMs: 1 })).toEqual(["deadline"]);
    journal.completed(0, 1);
    journal.ended(RunStatus.SUCCEEDED);
    expect(broken(journal, { nowMs: deadline * 2 })).toEqual([]);
  });
});
