import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ApprovalStatus, EventSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { MACHINE_VERSION, parseWorkflow, plan } from "@odg/workflow";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LineView } from "./live-tree.ts";

let said: string[];
beforeEach(() => {
  said = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text).trimEnd());
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

type Kind = NonNullable<MessageInitShape<typeof EventSchema>["kind"]>;

function play(tasks: object[], kinds: Kind[], reused: number[] = []): string[] {
  const { workflow } = parseWorkflow(JSON.stringify({ workflow_id: "w", tasks }), "w.json");
  const compiled = workflow && plan(workflow).plan;
  if (!compiled) throw new Error("it does not plan");
  const started: Kind = {
    case: "runStarted",
    value: { workflow, plan: compiled, machineVersion: MACHINE_VERSION, reused },
  };
  const view = new LineView();
  for (const [index, kind] of [started, ...kinds].entries()) {
    view.event(create(EventSchema, { runId: "r", seq: BigInt(index + 1), kind }));
  }
  return said;
}

it("says who paused a run and why, and who let it go on", () => {
  const lines = play(
    [{ id: "a", action: "x" }],
    [
      { case: "runPaused", value: { user: "ada", reason: "lunch" } },
      { case: "runResumed", value: {} },
      { case: "runCancelRequested", value: { user: "bob" } },
    ],
  );
  expect(lines).toEqual(["‖ paused by ada – lunch", "▶ goes on", "⊘ cancelled by bob"]);
});

it("shows the question that a task waits with, and who answered", () => {
  const lines = play(
    [{ id: "a", approval: { question: "May I?" } }],
    [
      { case: "approvalRequested", value: { task: 0, question: "May I?" } },
      { case: "approvalDecided", value: { task: 0, status: ApprovalStatus.APPROVED, decidedBy: "bob" } },
      { case: "taskCompleted", value: { task: 0, attempt: 1, summary: "approved by bob" } },
      { case: "runCompleted", value: { status: RunStatus.SUCCEEDED } },
    ],
  );
  expect(lines[0]).toBe("? a: waits for consent – May I?");
  expect(lines.at(-1)).toBe("✔ a: done – approved by bob");
});

it("counts the items of a task", () => {
  const attempt = { task: 0, attempt: 1, expert: "E@1.0.0" };
  const lines = play(
    [{ id: "a", action: "x", for_each: { items: "[1, 2]" } }],
    [
      { case: "taskExpanded", value: { task: 0, count: 2, items: { values: [] }, maxConcurrency: 2 } },
      { case: "taskStarted", value: { ...attempt, item: 1 } },
      { case: "taskStarted", value: { ...attempt, item: 2 } },
      { case: "taskCompleted", value: { ...attempt, item: 1 } },
      { case: "taskCompleted", value: { ...attempt, item: 2 } },
      { case: "taskCompleted", value: { task: 0, attempt: 1 } },
    ],
  );
  expect(lines).toEqual(["● a: runs (0/2)", "✔ a: done (2/2)"]);
});

it("marks what was taken over from another run", () => {
  const completed = { task: 0, attempt: 1, reusedFrom: "other", summary: "3 rows" };
  const lines = play([{ id: "a", action: "x" }], [{ case: "taskCompleted", value: completed }], [0]);
  expect(lines).toEqual(["✔ a: taken over – 3 rows"]);
});
