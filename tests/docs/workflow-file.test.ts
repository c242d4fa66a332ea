import {
  ApprovalSchema,
  ConcurrencySchema,
  ForEachSchema,
  RetrySchema,
  TaskSchema,
  WorkflowSchema,
} from "@odg/proto/odg/workflow/v1/workflow_pb";
import { MAX_EDGES, MAX_TASKS, parseWorkflow, plan } from "@odg/workflow";
import { describe, expect, test } from "vitest";
import { blocksOf, documentText } from "./blocks.ts";

const PAGE = "docs/reference/workflow-file.md";

function documented(heading: string): string[] {
  const text = documentText(PAGE).split(`\n## ${heading}\n`)[1]?.split(/^## /m)[0] ?? "";
  return [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);
}

describe("docs/reference/workflow-file.md", () => {
  test.each<[string, { fields: readonly { name: string }[] }]>([
    ["Workflow", WorkflowSchema],
    ["Task", TaskSchema],
    ["Retry", RetrySchema],
    ["Items", ForEachSchema],
    ["Approval", ApprovalSchema],
    ["Concurrency", ConcurrencySchema],
  ])("names exactly the fields of %s", (heading, { fields }) => {
    expect(documented(heading).toSorted()).toEqual(fields.map(({ name }) => name).toSorted());
  });

  test("shows workflows that plan as they stand", () => {
    const blocks = [...blocksOf(PAGE, "yaml"), ...blocksOf(PAGE, "json")];
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    for (const { text } of blocks) {
      const { workflow, issues } = parseWorkflow(text);
      expect(workflow ? plan(workflow).issues : issues).toBeUndefined();
    }
  });

  test("states the limits of the plan", () => {
    const page = documentText(PAGE);
    expect(page).toContain(`1 to ${MAX_TASKS.toLocaleString("en-US")} tasks`);
    expect(page).toContain(`${MAX_EDGES.toLocaleString("en-US")} edges`);
  });
});
