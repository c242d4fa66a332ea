import { clone, create } from "@bufbuild/protobuf";
import { NullValue } from "@bufbuild/protobuf/wkt";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  ApprovalStatus,
  type Event,
  EventSchema,
  type RunStarted,
  RunStatus,
  SkipCause,
  type TaskCompleted,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { RunContext } from "./context.ts";
import { contextOf, project, RunProjection } from "./projection.ts";
import { Journal, workflowOf, workflowWith } from "./testing/journal.ts";

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

  test("counts the place of an event that a journal holds although it changes nothing", () => {
    const made = new Journal();
    made.started(workflowOf({ a: [] }));
    made.taskStarted(0, 1);
    made.taskStarted(0, 1);
    expect(project(made.events)).toMatchObject({ lastSeq: 3n, tasks: [{ startTime: { seconds: 1002n } }] });
    const projection = new RunProjection();
    for (const event of made.events) projection.apply(event);
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

  test("finds a write that names no version where another task committed since its attempt began", () => {
    const projection = new RunProjection();
    const made = new Journal();
    const take = (event: Event) => projection.apply(event);
    const wrote = (task: number, attempt: number, more = {}) => {
      const value = { task, attempt, contextWrites: [{ key: "k", value: text("x") }], ...more };
      return made.event({ case: "taskCompleted", value });
    };
    const conflictOf = (event: Event) => projection.conflict(event.kind.value as TaskCompleted)?.key;
    for (const event of [
      made.started(workflowOf({ a: [], b: [], c: [], d: [] })),
      made.taskStarted(0, 1),
      made.taskStarted(1, 1),
      wrote(0, 1),
      made.taskStarted(2, 1),
    ])
      take(event);
    expect(conflictOf(wrote(1, 1))).toBe("k");
    made.drop();
    // c began after a had committed, and what is taken over was settled in another run.
    expect(conflictOf(wrote(2, 1))).toBeUndefined();
    made.drop();
    expect(conflictOf(wrote(1, 1, { reusedFrom: "run-0" }))).toBeUndefined();
    made.drop();
    take(made.failed(1, 1, 5));
    take(made.retryDue(1));
    take(made.taskStarted(1, 2));
    expect(conflictOf(wrote(1, 2))).toBeUndefined();
  });

  test("lets items of one task overwrite each other, unless they name versions", () => {
    const projection = new RunProjection();
    const made = new Journal();
    const wrote = (item: number, expectedVersion?: bigint) => {
      const contextWrites = [{ key: "k", value: text("x"), expectedVersion }];
      return made.event({ case: "taskCompleted", value: { task: 0, item, attempt: 1, contextWrites } });
    };
    for (const event of [
      made.started(workflowWith([{ id: "a", forEach: { items: "[1, 2]" } }])),
      made.expanded(0, 2),
      made.taskStarted(0, 1, 1),
      made.taskStarted(0, 1, 2),
      wrote(1),
    ])
      projection.apply(event);
    expect(projection.conflict(wrote(2).kind.value as TaskCompleted)).toBeUndefined();
    expect(projection.conflict(wrote(2, 0n).kind.value as TaskCompleted)?.key).toBe("k");
  });
});

describe("the projection of a run that is controlled", () => {
  function projected(workflow: Workflow, tell: (made: Journal) => void, more = {}): RunProjection {
    const projection = new RunProjection();
    const made = new Journal();
    const started = made.started(workflow);
    Object.assign(started.kind.value!, more);
    tell(made);
    for (const event of made.events) projection.apply(event);
    return projection;
  }

  test("says who started it, from which run, for which task, how urgent it is and when it must end", () => {
    const { tasks } = workflowOf({ a: [] });
    const parent = { $typeName: "odg.run.v1.ParentTask", runId: "run-0", task: 1, item: 0, attempt: 2 };
    const run = projected(workflowWith(tasks, { timeout: { seconds: 60n } }), () => {}, {
      user: "ann",
      priority: 3,
      forkedFrom: "run-0",
      parent,
    }).run();
    expect(run).toMatchObject({ user: "ann", priority: 3, forkedFrom: "run-0", parent, deadline: { seconds: 1061n } });
    expect(run.taskCounts).toMatchObject([
      { status: TaskStatus.PENDING, count: 0 },
      { status: TaskStatus.READY, count: 1 },
    ]);
  });

  test("says how the items of a task stand, and keeps what they answered until the task has ended", () => {
    const workflow = workflowWith([{ id: "a", forEach: { items: "[1, 2, 3]" } }]);
    const tell = (made: Journal) => {
      made.expanded(0, 3, 2);
      made.taskStarted(0, 1, 1);
      made.taskStarted(0, 1, 2);
      const value = { task: 0, attempt: 1, item: 2, output: text("two"), findings: [{}] };
      made.event({ case: "taskCompleted", value });
      made.completed(0, 1, 1);
    };
    const projection = projected(workflow, tell);
    expect(projection.run().tasks[0]).toMatchObject({
      status: TaskStatus.RUNNING,
      attempts: 1,
      expert: "E@1.0.0",
      findingCount: 1,
      startTime: { seconds: 1002n },
      items: { total: 3, active: 1, succeeded: 2, failed: 0 },
    });
    expect(projection.expansion(0)?.results()).toMatchObject([{ item: 1 }, { item: 2, output: text("two") }]);
    const ended = projected(workflow, (made) => {
      tell(made);
      made.failed(0, 1, undefined, 3);
      made.failed(0, 1);
    });
    expect(ended.run().tasks[0]).toMatchObject({
      status: TaskStatus.FAILED,
      items: { total: 3, active: 0, succeeded: 2, failed: 1 },
    });
    expect(ended.run().failure).toMatchObject({ message: "broken" });
    expect(ended.expansion(0)).toBeUndefined();
  });

  test("says of a consent who was asked, when, and how it was decided", () => {
    const workflow = workflowWith([{ id: "a", approval: {} }]);
    const tell = (made: Journal) => {
      made.asked(0, 60);
      made.escalated(0, 60);
    };
    expect(projected(workflow, tell).run().tasks[0]).toMatchObject({
      status: TaskStatus.WAITING_APPROVAL,
      approval: {
        approvalId: "run-1/a",
        status: ApprovalStatus.PENDING,
        question: "Sure?",
        approvers: ["boss"],
        escalated: true,
        requestTime: { seconds: 1002n },
        deadline: { seconds: 1063n },
      },
    });
    const rejected = projected(workflow, (made) => {
      tell(made);
      made.decided(0, ApprovalStatus.REJECTED);
    }).run();
    expect(rejected.tasks[0]).toMatchObject({
      status: TaskStatus.FAILED,
      approval: { status: ApprovalStatus.REJECTED, decidedBy: "jo", reason: "because", decideTime: { seconds: 1004n } },
      failure: { reason: Reason.APPROVAL_REJECTED, subject: "tasks.a.approval" },
      endTime: { seconds: 1004n },
    });
    expect(rejected.failure?.reason).toBe(Reason.APPROVAL_REJECTED);
  });

  test("says that it is paused, what is ready meanwhile, and why it ended when its time was up", () => {
    const run = projected(workflowOf({ a: [], b: ["a"] }), (made) => {
      made.taskStarted(0, 1);
      made.paused();
      made.completed(0, 1);
    }).run();
    expect(run).toMatchObject({
      status: RunStatus.PAUSED,
      tasks: [{ status: TaskStatus.SUCCEEDED }, { status: TaskStatus.READY, readyTime: { seconds: 1004n } }],
    });
    const over = projected(workflowOf({ a: [] }), (made) => {
      made.timedOut();
      made.cancelled(0);
      made.ended(RunStatus.FAILED);
    }).run();
    expect(over).toMatchObject({ status: RunStatus.FAILED, failure: { reason: Reason.DEADLINE_EXCEEDED } });
  });

  test("marks what was taken over, and names the run of a sub-workflow", () => {
    const run = projected(workflowOf({ a: [], b: [] }), (made) => {
      made.reused(0, 1);
      made.event({ case: "taskStarted", value: { task: 1, attempt: 1, childRunId: "run-7" } });
    }).run();
    expect(run.tasks).toMatchObject([
      { status: TaskStatus.SUCCEEDED, reusedFrom: "run-0", attempts: 0 },
      { status: TaskStatus.RUNNING, childRunId: "run-7" },
    ]);
  });

  test("is not restored from a snapshot of another version, or of another run", () => {
    const projection = projected(workflowOf({ a: [] }), () => {});
    const other = new Journal().started(workflowOf({ a: [], b: [] })).kind.value as RunStarted;
    const own = new Journal().started(workflowOf({ a: [] })).kind.value as RunStarted;
    const snapshot = () => clone(RunSnapshotSchema, projection.snapshot());
    expect(RunProjection.restore(other, snapshot())).toBeUndefined();
    expect(RunProjection.restore(own, create(RunSnapshotSchema))).toBeUndefined();
    expect(RunProjection.restore(own, { ...snapshot(), machineVersion: 1 })).toBeUndefined();
    expect(RunProjection.restore(own, snapshot())?.run()).toEqual(projection.run());
  });
});
