// The rows of the table of bad input about workflows (B19 to B22), over real sockets.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeTask, ServedEngine } from "./testing/served-engine.ts";

let served: ServedEngine;
beforeAll(async () => {
  served = await ServedEngine.start();
});
afterAll(() => served?.close());

const publish = (workflow: unknown) => served.call("WorkflowService/PublishWorkflow", { workflow });

describe("a workflow that is no DAG (B19)", () => {
  it("is refused with every violation at once, each under its field path", async () => {
    const tasks = [
      probeTask("a", { depends_on: ["c"] }),
      probeTask("b", { depends_on: ["a"] }),
      probeTask("c", { depends_on: ["b"] }),
      probeTask("self", { depends_on: ["self"] }),
      probeTask("lost", { depends_on: ["slef"] }),
      probeTask("behind", { depends_on: ["a"] }),
      probeTask("twin"),
      probeTask("twin"),
    ];
    const answer = await publish({ workflow_id: "knot", tasks });
    expect(answer).toMatchObject({ status: 400, code: "invalid_argument", reason: "DAG_INVALID" });
    const said = Object.fromEntries(answer.fields.map((field, i) => [field, answer.descriptions[i] ?? ""]));
    expect(said["tasks[0].depends_on[0]"]).toMatch(/a.*c.*b/s);
    expect(said["tasks[3].depends_on[0]"]).toContain("itself");
    expect(said["tasks[4].depends_on[0]"]).toContain('Did you mean "self"');
    expect(answer.descriptions.join("\n")).toMatch(/"behind"|tasks\[5\]/);
    expect(said["tasks[7].id"]).toContain("twin");
    expect(answer.help).toContain("dag_invalid");
  });
});

describe("a workflow that is too large (B20)", () => {
  it("is refused at 10,001 tasks", async () => {
    const tasks = Array.from({ length: 10_001 }, (_, i) => probeTask(`t${i}`));
    expect(await publish({ workflow_id: "wide", tasks })).toMatchObject({ status: 400, reason: "DAG_TOO_LARGE" });
  });

  it("is refused at 100,001 edges", async () => {
    const ids = Array.from({ length: 11 }, (_, i) => `r${i}`);
    const leaves = Array.from({ length: 9_091 }, (_, i) => probeTask(`t${i}`, { depends_on: ids }));
    const answer = await publish({ workflow_id: "dense", tasks: [...ids.map((id) => probeTask(id)), ...leaves] });
    expect(answer).toMatchObject({ status: 400, reason: "DAG_TOO_LARGE" });
    expect(answer.message).toContain("100001");
  });
});

describe("a task that no expert can do (B21)", () => {
  it("is refused naming the closest match", async () => {
    const answer = await publish({
      workflow_id: "w",
      tasks: [{ id: "a", expert: "ShemaExpert", action: "analyze_schema" }],
    });
    expect(answer).toMatchObject({ status: 400, code: "failed_precondition", reason: "EXPERT_UNAVAILABLE" });
    expect(answer.message).toContain('Did you mean "SchemaExpert"');
    expect(answer.fields).toEqual(["tasks[0].expert"]);
  });

  it("is refused where no version is in the range, naming those there are", async () => {
    const answer = await publish({ workflow_id: "w", tasks: [probeTask("a", { version: ">=9" })] });
    expect(answer).toMatchObject({ status: 400, reason: "EXPERT_UNAVAILABLE", fields: ["tasks[0].version"] });
    expect(answer.message).toContain("1.0.0");
  });

  it("is refused where the expert lacks the action", async () => {
    const answer = await publish({ workflow_id: "w", tasks: [probeTask("a", { action: "ehco" })] });
    expect(answer.message).toContain('Did you mean "echo"');
  });
});

describe("a bad expression (B22)", () => {
  const when = (text: string) =>
    publish({ workflow_id: "w", tasks: [probeTask("a"), probeTask("b", { depends_on: ["a"], when: text })] });

  it("is refused with line and column", async () => {
    const answer = await when("tasks.a.status\n  == nosuch");
    expect(answer).toMatchObject({
      status: 400,
      code: "invalid_argument",
      reason: "EXPR_INVALID",
      fields: ["tasks[1].when"],
    });
    expect(answer.message).toMatch(/line 2, column 6/);
  });

  it("is refused where it calls an unknown function", async () => {
    const answer = await when("exec('id') == ''");
    expect(answer).toMatchObject({ status: 400, reason: "EXPR_INVALID" });
    expect(answer.message).toContain("exec");
  });

  it("is refused where it is too large", async () => {
    const answer = await when(Array(4000).fill("true").join(" && "));
    expect(answer).toMatchObject({ status: 400, reason: "EXPR_INVALID" });
    expect(answer.text.length).toBeLessThan(5000);
  });
});
