import { create } from "@bufbuild/protobuf";
import { NullValue } from "@bufbuild/protobuf/wkt";
import { EventSchema, RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { describe, expect, test } from "vitest";
import { RunContext } from "./context.ts";
import { contextOf, project, RunProjection } from "./projection.ts";
import { Journal, workflowOf } from "./testing/journal.ts";

function text(value: string) {
  return { kind: { case: "stringValue" as const, value } };
}

/** a succeeds at its second attempt and shares a key, b overwrites it, c is skipped, d fails. */
function journal(): Journal {
  const made = new Journal("run-9");
  made.started(workflowOf({ a: [], b: ["a"], c: ["a"], d: ["a"] }));
  made.taskStarted(0, 1);
  made.failed(0, 1, 5);
  made.retryDue(0);
  made.taskStarted(0, 2);
  const writes = [{ key: "columns", value: text("3") }];
  made.event({
    case: "taskCompleted",
    value: { task: 0, attempt: 2, output: text("x"), summary: "3 columns", findings: [{}, {}], contextWrites: writes },
  });
  made.taskStarted(1, 1);
  made.event({
    case: "taskCompleted",
    value: {
      task: 1,
      attempt: 1,
      contextWrites: [
        { key: "columns", value: text("4") },
        { key: "b", value: text("y") },
      ],
    },
  });
  made.skipped(2, SkipCause.CONDITION);
  made.taskStarted(3, 1);
  made.failed(3, 1);
  made.ended(RunStatus.FAILED);
  return made;
}

describe("the projection of a journal", () => {
  const run = project(journal().events);

  test("tells of the run", () => {
    expect(run).toMatchObject({
      runId: "run-9",
      workflowId: "w",
      status: RunStatus.FAILED,
      createTime: { seconds: 1001n },
      endTime: { seconds: 1012n },
      failure: { message: "broken" },
      lastSeq: 12n,
    });
  });

  test("tells of a task that was tried twice", () => {
    expect(run.tasks[0]).toMatchObject({
      taskId: "a",
      status: TaskStatus.SUCCEEDED,
      attempts: 2,
      expert: "E@1.0.0",
      readyTime: { seconds: 1004n },
      startTime: { seconds: 1005n },
      endTime: { seconds: 1006n },
      summary: "3 columns",
      findingCount: 2,
    });
    expect(run.tasks[0]?.failure).toBeUndefined();
  });

  test("tells why a task was skipped, and why one failed", () => {
    expect(run.tasks[2]).toMatchObject({ status: TaskStatus.SKIPPED, skipCause: SkipCause.CONDITION, attempts: 0 });
    expect(run.tasks[3]).toMatchObject({ status: TaskStatus.FAILED, failure: { message: "broken" } });
  });

  test("is not changed by an event that comes twice, or that belongs to another run", () => {
    const { events } = journal();
    const projection = new RunProjection();
    for (const event of events) {
      expect(projection.apply(event)).toBe(true);
      expect(projection.apply(event)).toBe(false);
    }
    const other = create(EventSchema, { ...events[5]!, runId: "run-8", seq: 99n });
    expect(projection.apply(other)).toBe(false);
    expect(projection.run()).toEqual(run);
  });

  test("counts events that are no business of the machine", () => {
    const projection = new RunProjection();
    const made = new Journal();
    projection.apply(made.started(workflowOf({ a: [] })));
    expect(projection.apply(made.event({ case: "datasetProfiled", value: {} }))).toBe(true);
    expect(projection.run().lastSeq).toBe(2n);
  });

  test("gives expressions what they may read", () => {
    const projection = new RunProjection();
    for (const event of journal().events) projection.apply(event);
    const { run: of, tasks } = projection.scope();
    expect(of).toEqual({ id: "run-9", inputs: {} });
    expect(tasks.get("a")).toEqual({ status: "SUCCEEDED", output: "x" });
    expect(tasks.get("c")).toEqual({ status: "SKIPPED", output: undefined });
    expect(tasks.get("nope")).toBeUndefined();
  });
});

describe("the context", () => {
  test("counts versions and names the task, the expert and the event of the newest", () => {
    expect(contextOf(journal().events)).toMatchObject([
      { key: "b", version: 1n, taskId: "b", expert: "E@1.0.0", seq: 8n },
      { key: "columns", version: 2n, taskId: "b", expert: "E@1.0.0", seq: 8n, value: text("4") },
    ]);
  });

  test("finds the write that another came before", () => {
    const context = new RunContext();
    const value = {
      $typeName: "google.protobuf.Value",
      kind: { case: "nullValue", value: NullValue.NULL_VALUE },
    } as const;
    const write = (key: string, expectedVersion?: bigint) =>
      ({ $typeName: "odg.expert.v1.ContextWrite", key, value, expectedVersion }) as const;
    context.commit([write("a")], { taskId: "t", expert: "E@1", seq: 1n });
    expect(context.conflict([write("a"), write("a", 1n), write("new", 0n)])).toBeUndefined();
    expect(context.conflict([write("new", 0n), write("a", 0n)])?.key).toBe("a");
    expect(context.conflict([write("gone", 3n)])?.key).toBe("gone");
  });
});
