// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how bindings are written.
import { create } from "@bufbuild/protobuf";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type Workflow, WorkflowSchema } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { describe, expect, test } from "vitest";
import { MAX_ISSUES } from "./issue.ts";
import { MAX_EDGES, MAX_TASKS, plan } from "./plan.ts";
import { workflowOf } from "./testing/journal.ts";
import { isConsistent } from "./topology.ts";

type TaskInit = NonNullable<NonNullable<Parameters<typeof create<typeof WorkflowSchema>>[1]>["tasks"]>[number];

function of(...tasks: TaskInit[]): Workflow {
  return create(WorkflowSchema, { workflowId: "w", tasks: tasks.map((task) => ({ action: "act", ...task })) });
}

/** `path REASON` of each issue. */
function told(workflow: Workflow, options?: Parameters<typeof plan>[1]): string[] {
  return (plan(workflow, options).issues ?? []).map(({ path, reason }) => `${path} ${Reason[reason]}`);
}

function only(workflow: Workflow, options?: Parameters<typeof plan>[1]) {
  const { issues = [] } = plan(workflow, options);
  expect(issues).toHaveLength(1);
  return issues[0]!;
}

describe("a sound workflow", () => {
  test("becomes rows of successors, and priorities by the longest path to an end", () => {
    const result = plan(workflowOf({ e: ["b", "d"], a: [], b: ["a"], c: ["a"], d: ["c"] }));
    expect(result.plan).toMatchObject({
      inDegrees: [2, 0, 1, 1, 1],
      successorOffsets: [0, 0, 2, 3, 4, 5],
      successors: [3, 2, 0, 4, 0],
      priorities: [1, 4, 2, 3, 2],
      order: [1, 3, 2, 4, 0],
    });
    expect(isConsistent(result.plan!)).toBe(true);
  });

  test("plans 10,000 tasks with 100,000 edges in under 100 ms", () => {
    const edges: Record<string, string[]> = {};
    for (let v = 0; v < MAX_TASKS; v++) {
      const before = Array.from({ length: 10 }, (_, i) => v - 1 - ((i * 37) % 400) - i).filter((u) => u >= 0);
      edges[`t${v}`] = [...new Set(before)].map((u) => `t${u}`);
    }
    const workflow = workflowOf(edges);
    // The best of five: other tests share the machine.
    const times = Array.from({ length: 5 }, () => {
      const begin = performance.now();
      expect(plan(workflow).issues).toBeUndefined();
      return performance.now() - begin;
    });
    expect(Math.min(...times)).toBeLessThan(100);
  });
});

describe("DAG_INVALID", () => {
  test("an unknown dependency comes with the id that may have been meant", () => {
    const issue = only(workflowOf({ schema: [], b: ["schem"] }));
    expect(issue).toMatchObject({
      path: "tasks[1].depends_on[0]",
      reason: Reason.DAG_INVALID,
      hint: 'Did you mean "schema"?',
    });
    expect(only(workflowOf({ schema: [], b: ["zzzzz"] })).hint).toBe("");
  });

  test("a task that depends on itself", () => {
    expect(only(workflowOf({ a: ["a"] }))).toMatchObject({
      path: "tasks[0].depends_on[0]",
      message: 'Task "a" depends on itself.',
    });
  });

  test("a dependency that is listed twice", () => {
    expect(only(workflowOf({ a: [], b: ["a", "a"] })).path).toBe("tasks[1].depends_on[1]");
  });

  test("an id that two tasks have", () => {
    expect(only(of({ id: "a" }, { id: "a" }))).toMatchObject({
      path: "tasks[1].id",
      message: 'tasks[0] has the id "a" already.',
    });
  });

  test("every cycle is spelt out once, and so is every task that waits behind one", () => {
    const workflow = workflowOf({
      a: ["b"],
      b: ["a"],
      x: ["z"],
      y: ["x"],
      z: ["y"],
      behind: ["x"],
      further: ["behind"],
      free: [],
    });
    const { issues = [] } = plan(workflow);
    expect(issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "tasks[0].depends_on[0]: The tasks form a cycle: a -> b -> a.",
      "tasks[2].depends_on[0]: The tasks form a cycle: x -> y -> z -> x.",
      'tasks[5]: Task "behind" can never start: it waits, through "x", for a cycle.',
      'tasks[6]: Task "further" can never start: it waits, through "behind", for a cycle.',
    ]);
  });

  test("a task behind a missing one can never start", () => {
    const { issues = [] } = plan(workflowOf({ a: ["gone"], b: ["a"] }));
    expect(issues[1]).toMatchObject({
      path: "tasks[1]",
      message: 'Task "b" can never start: it waits, through "a", for a task that does not exist.',
    });
  });

  test("a cycle of thousands of tasks is cut in the message", () => {
    const edges = Object.fromEntries(Array.from({ length: 5000 }, (_, v) => [`t${v}`, [`t${(v + 4999) % 5000}`]]));
    expect(only(workflowOf(edges)).message).toMatch(/^The tasks form a cycle: t0 -> t1 -> .* -> … \d+ more -> t0\.$/);
  });

  test("no tasks", () => {
    expect(told(of())).toEqual(["tasks DAG_INVALID"]);
  });
});

describe("DAG_TOO_LARGE", () => {
  test("too many tasks, too many edges", () => {
    const many = create(WorkflowSchema, { workflowId: "w", tasks: Array.from({ length: MAX_TASKS + 1 }, () => ({})) });
    expect(told(many)).toEqual(["tasks DAG_TOO_LARGE"]);
    const dense = of({ id: "a", dependsOn: Array<string>(MAX_EDGES + 1).fill("b") });
    expect(told(dense)).toEqual(["tasks DAG_TOO_LARGE"]);
  });
});

describe("FIELD_FORMAT", () => {
  test.each<[string, TaskInit]>([
    ["tasks[0].id", { id: "1a" }],
    ["tasks[0].id", { id: "a".repeat(64) }],
    ["tasks[0].id", { id: "../a" }],
    ["tasks[0].action", { id: "a", action: "" }],
    ["tasks[0].action", { id: "a", action: "x".repeat(129) }],
    ["tasks[0].version", { id: "a", version: "latest please" }],
    ["tasks[0].timeout", { id: "a", timeout: {} }],
    ["tasks[0].timeout", { id: "a", timeout: { seconds: -1n } }],
    ["tasks[0].timeout", { id: "a", timeout: { seconds: 86_400n, nanos: 1 } }],
    ["tasks[0].retry.max_attempts", { id: "a", retry: { maxAttempts: 101 } }],
    ["tasks[0].retry.initial_interval", { id: "a", retry: { initialInterval: { seconds: -1n } } }],
    ["tasks[0].retry.max_interval", { id: "a", retry: { maxInterval: { nanos: -1 } } }],
    [
      "tasks[0].retry.max_interval",
      { id: "a", retry: { initialInterval: { seconds: 9n }, maxInterval: { seconds: 8n } } },
    ],
    ["tasks[0].queue_timeout", { id: "a", queueTimeout: { seconds: 86_401n } }],
    ["tasks[0].idle_timeout", { id: "a", idleTimeout: {} }],
    ["tasks[0].retry.backoff", { id: "a", retry: { backoff: 101 } }],
    ["tasks[0].retry.backoff", { id: "a", retry: { backoff: Number.NaN } }],
    ["tasks[0].retry.retry_on[1]", { id: "a", retry: { retryOn: ["EXPERT_FAILED", "UNSPECIFIED"] } }],
    ["tasks[0].retry.give_up_on[0]", { id: "a", retry: { giveUpOn: ["0"] } }],
    ["tasks[0].retry.give_up_on[0]", { id: "a", retry: { retryOn: ["CANCELLED"], giveUpOn: ["CANCELLED"] } }],
    ["tasks[0].for_each.items", { id: "a", forEach: { items: "" } }],
    ["tasks[0].for_each.max_concurrency", { id: "a", forEach: { items: "[]", maxConcurrency: 10_001 } }],
    ["tasks[0].for_each.max_items", { id: "a", forEach: { items: "[]", maxItems: 10_001 } }],
    ["tasks[0].for_each", { id: "a", action: "", approval: {}, forEach: { items: "[]" } }],
    ["tasks[0].workflow", { id: "a", workflow: "w" }],
    ["tasks[0].workflow_version", { id: "a", workflowVersion: "1" }],
    ["tasks[0].expert", { id: "a", action: "", workflow: "w", expert: "E" }],
    ["tasks[0].approval.deadline", { id: "a", approval: { deadline: {} } }],
    ["tasks[0].approval.escalate_to", { id: "a", approval: { escalateTo: ["x"] } }],
    ["tasks[0].approval.approvers[1]", { id: "a", approval: { approvers: ["x", ""] } }],
    ["tasks[0].approval.question", { id: "a", approval: { question: "x".repeat(2001) } }],
    ["tasks[0].concurrency.key", { id: "a", concurrency: { limit: 1 } }],
    ["tasks[0].concurrency.limit", { id: "a", concurrency: { key: "k" } }],
  ])("%s", (path, task) => {
    expect(told(of(task))).toEqual([`${path} FIELD_FORMAT`]);
  });

  test.each<[string, TaskInit]>([
    ["an action", { action: "x" }],
    ["a workflow", { action: "", workflow: "other", workflowVersion: "3" }],
    ["an approval alone", { action: "", approval: { deadline: { seconds: 60n }, escalateTo: ["boss"] } }],
    [
      "an action with an approval, items and a limit",
      {
        approval: { question: "Run ${run.id}?" },
        forEach: { items: "[1, 2]" },
        inputs: { n: "${item + index}" },
        concurrency: { key: "db-${item}", limit: 2 },
      },
    ],
  ])("nothing is wrong with %s", (_, task) => {
    expect(told(of({ id: "a", ...task }))).toEqual([]);
  });

  test("names come with the one that may have been meant", () => {
    expect(only(of({ id: "a", triggerRule: "al_done" }))).toMatchObject({
      path: "tasks[0].trigger_rule",
      message: 'There is no trigger rule "al_done".',
      hint: 'Did you mean "all_done"?',
    });
    expect(only(of({ id: "a", retry: { retryOn: ["EXPERT_FAIL"] } })).hint).toBe('Did you mean "EXPERT_FAILED"?');
    const workflow = create(WorkflowSchema, {
      workflowId: "w",
      tasks: [{ id: "a", action: "x" }],
      onFailure: "failfast",
    });
    expect(only(workflow)).toMatchObject({ path: "on_failure", hint: 'Did you mean "fail_fast"?' });
    expect(only(of({ id: "a", triggerRule: "whenever" })).hint).toMatch(/^Known: all_success, /);
  });

  test("the workflow's time limit", () => {
    const tasks = [{ id: "a", action: "x" }];
    const limited = (seconds: bigint) => create(WorkflowSchema, { workflowId: "w", tasks, timeout: { seconds } });
    expect(told(limited(31_536_000n))).toEqual([]);
    expect(told(limited(31_536_001n))).toEqual(["timeout FIELD_FORMAT"]);
  });

  test("the workflow's own id and description", () => {
    const workflow = create(WorkflowSchema, {
      workflowId: "a b",
      description: "x".repeat(2001),
      tasks: [{ id: "a", action: "x" }],
    });
    expect(told(workflow)).toEqual(["workflow_id FIELD_FORMAT", "description FIELD_FORMAT"]);
  });
});

describe("expressions", () => {
  test("EXPR_INVALID with the line and column in the expression", () => {
    const issue = only(of({ id: "a", when: "1 ==\n  foo(2)" }));
    expect(issue).toMatchObject({ path: "tasks[0].when", reason: Reason.EXPR_INVALID, line: 2 });
    expect(only(of({ id: "a", inputs: { x: { "y z": ["${ 1 + }"] } } }))).toMatchObject({
      path: 'tasks[0].inputs.x["y z"][0]',
      message: '"+" is not expected here (line 1, column 4 of the expression).',
      line: 1,
      column: 4,
    });
    expect(only(of({ id: "a", inputs: { x: "a ${ 1" } })).message).toBe(
      "This ${ is never closed (line 1, column 3 of the expression).",
    );
  });

  test("an unknown function, with the one that may have been meant", () => {
    expect(only(of({ id: "a", when: "siez('a') == 1" }))).toMatchObject({
      reason: Reason.EXPR_INVALID,
      hint: 'Did you mean "size"?',
    });
  });

  test("of the items, the question and the key are checked like those of the inputs", () => {
    const tasks: TaskInit[] = [
      { id: "a", forEach: { items: "tasks.b.output" } },
      { id: "b", approval: { question: "${ 1 + }" } },
      { id: "c", concurrency: { key: "${siez('a')}", limit: 1 } },
      { id: "d", forEach: { items: "1 +" } },
    ];
    expect(told(of(...tasks)).sort()).toEqual([
      "tasks[0].for_each.items DAG_INVALID",
      "tasks[1].approval.question EXPR_INVALID",
      "tasks[2].concurrency.key EXPR_INVALID",
      "tasks[3].for_each.items EXPR_INVALID",
    ]);
  });

  test("an item may be read only where there is one", () => {
    const { issues = [] } = plan(
      of(
        { id: "a", inputs: { x: "${item}" } },
        { id: "b", forEach: { items: "[index]" }, when: "item == 1", approval: { question: "${item}?" } },
        { id: "c", inputs: { x: "${[1].map(item, item)}" } },
      ),
    );
    expect(issues.map(({ path }) => path)).toEqual([
      "tasks[0].inputs.x",
      "tasks[1].when",
      "tasks[1].for_each.items",
      "tasks[1].approval.question",
    ]);
    expect(issues[0]).toMatchObject({
      reason: Reason.EXPR_INVALID,
      message: "There is no item here (line 1, column 1 of the expression).",
    });
  });

  test("a task may be read that has ended for certain, however far back", () => {
    const tasks: TaskInit[] = Array.from({ length: 80 }, (_, v) => ({
      id: `t${v}`,
      dependsOn: v === 0 ? [] : [`t${v - 1}`],
    }));
    tasks.push({
      id: "end",
      dependsOn: ["t79"],
      when: tasks.map(({ id }) => `tasks.${id}.status == 'SUCCEEDED'`).join(" && "),
    });
    expect(told(of(...tasks))).toEqual([]);
  });

  test("a task may not be read that need not have ended, that does not exist, or that reads itself", () => {
    const { issues = [] } = plan(
      of(
        { id: "schema" },
        { id: "b", when: "tasks.schema.output.x" },
        { id: "c", dependsOn: ["b"], inputs: { v: "${tasks.schem.output}" } },
        { id: "d", when: "tasks['d'].output" },
      ),
    );
    expect(issues.map(({ path, reason, hint }) => [path, Reason[reason], hint])).toEqual([
      ["tasks[2].inputs.v", "DAG_INVALID", 'Did you mean "schema"?'],
      ["tasks[1].when", "DAG_INVALID", 'Add "schema" to depends_on.'],
      ["tasks[3].when", "DAG_INVALID", "Remove the reference."],
    ]);
  });
});

describe("EXPERT_UNAVAILABLE", () => {
  const experts = [
    { name: "SchemaExpert", version: "1.2.0", actions: [{ name: "analyze_schema", capability: "schema_analysis" }] },
    { name: "SchemaExpert", version: "2.0.0", actions: [{ name: "infer_schema", capability: "schema_analysis" }] },
  ];

  test.each<[TaskInit]>([
    [{ expert: "SchemaExpert", action: "analyze_schema" }],
    [{ expert: "SchemaExpert", action: "analyze_schema", version: "^1.0.0" }],
    [{ action: "infer_schema" }],
    [{ action: "schema_analysis", version: "~1.2" }],
  ])("finds an expert for %j", (task) => {
    expect(told(of({ id: "a", ...task }), { experts })).toEqual([]);
  });

  test.each<[TaskInit, string, string]>([
    [{ expert: "ShemaExpert", action: "x" }, "tasks[0].expert", 'Did you mean "SchemaExpert"?'],
    [{ expert: "SchemaExpert", action: "x", version: "^3" }, "tasks[0].version", "Registered: 1.2.0, 2.0.0."],
    [{ expert: "SchemaExpert", action: "analyse_schema" }, "tasks[0].action", 'Did you mean "analyze_schema"?'],
    [{ expert: "SchemaExpert", action: "analyze_schema", version: "2" }, "tasks[0].action", "It knows: infer_schema."],
    [{ action: "schema_analisys" }, "tasks[0].action", 'Did you mean "schema_analysis"?'],
    [
      { action: "schema_analysis", version: ">=3" },
      "tasks[0].version",
      "Registered: SchemaExpert@1.2.0, SchemaExpert@2.0.0.",
    ],
  ])("finds none for %j", (task, path, hint) => {
    expect(only(of({ id: "a", ...task }), { experts })).toMatchObject({
      path,
      hint,
      reason: Reason.EXPERT_UNAVAILABLE,
    });
  });
});

test("all issues come at once, up to a cap, and hostile input takes no longer for its hints", () => {
  const tasks: TaskInit[] = Array.from({ length: MAX_TASKS }, (_, v) => ({
    id: `task_number_${v}`,
    dependsOn: [`task_nmber_${v}`, `x${v}`],
  }));
  const begin = performance.now();
  expect(plan(of(...tasks)).issues).toHaveLength(MAX_ISSUES);
  expect(performance.now() - begin).toBeLessThan(2_000);
});
