import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseWorkflow } from "./parse.ts";
import { plan } from "./plan.ts";

const record = new URL("../testdata/workflows/", import.meta.url);
const published = new URL("../../../workflows/", import.meta.url);

// Each published template, and the workflow of the decision record that it stands for.
const pairs = [
  ["onboard_dataset", "onboard_customer_transactions"],
  ["troubleshoot_pipeline", "troubleshoot_transform_sales"],
  ["gdpr_audit", "gdpr_audit_preparation"],
] as const;

function read(folder: URL, name: string) {
  const result = parseWorkflow(readFileSync(new URL(`${name}.json`, folder), "utf8"), `${name}.json`);
  expect(result.issues).toBeUndefined();
  return result.workflow!;
}

describe("workflows", () => {
  test.each(pairs.map(([, name]) => name))("the decision record's %s parses and plans as it stands", (name) => {
    const workflow = read(record, name);
    expect(workflow.workflowId).toBe(name);
    expect(plan(workflow).issues).toBeUndefined();
  });

  test.each(pairs)("the template %s has the tasks of the record's %s", (template, original) => {
    const workflow = read(published, template);
    expect(workflow.workflowId).toBe(template);
    expect(workflow.description).not.toBe("");
    expect(plan(workflow).issues).toBeUndefined();
    const tasks = (from: typeof workflow) =>
      from.tasks.map(({ id, expert, action, dependsOn }) => ({ id, expert, action, dependsOn }));
    expect(tasks(workflow)).toEqual(tasks(read(record, original)));
    expect(workflow.tasks.every(({ inputs }) => inputs === undefined)).toBe(true);
  });
});
