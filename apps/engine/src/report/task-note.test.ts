import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ApprovalStatus, TaskStateSchema, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { expect, test } from "vitest";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { taskNote } from "./task-note.ts";
import { onboardingReport } from "./testing/fixture.ts";
import { renderText } from "./text.ts";

const noteOf = (init: MessageInitShape<typeof TaskStateSchema>) => taskNote(create(TaskStateSchema, init));

test.each([
  [{}, ""],
  [{ reusedFrom: "run-1" }, "taken over from run run-1"],
  [{ items: { total: 5, succeeded: 3, failed: 1 } }, "3 of 5 items, 1 failed"],
  [{ childRunId: "run-2" }, "run run-2"],
  [
    { approval: { status: ApprovalStatus.APPROVED, decidedBy: "bob", reason: "it is fine" } },
    "approved by bob: it is fine",
  ],
  [{ approval: { status: ApprovalStatus.REJECTED, decidedBy: "bob" } }, "denied by bob"],
  [{ approval: { status: ApprovalStatus.EXPIRED } }, "nobody consented in time"],
  [
    {
      status: TaskStatus.WAITING_APPROVAL,
      approval: { status: ApprovalStatus.PENDING, approvers: ["bob", "carol"], escalated: true },
    },
    "waits for the consent of bob, carol, having escalated",
  ],
])("of a task says how it came about: %j", (state, note) => {
  expect(noteOf(state)).toBe(note);
});

test("every rendering shows the notes of the tasks, and no sign of them where there are none", () => {
  const plain = onboardingReport();
  const noted = onboardingReport();
  const [first] = noted.run?.tasks ?? [];
  if (first) first.reusedFrom = "run-before";
  const renderings = [
    renderHtml,
    renderMarkdown,
    (one: typeof plain) => renderText(one, { columns: 200, color: false }),
  ];
  for (const render of renderings) {
    expect(render(noted).replaceAll("\\", "")).toContain("taken over from run run-before");
    expect(render(plain)).not.toContain("taken over");
  }
});
