// Versions and drafts through the service, as clients see them.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { permissionsSchema } from "@odg/expert-plugin-api";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { DescribeResponseSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { inProcessTransport, reasonOf } from "@odg/rpc";
import { parseWorkflow } from "@odg/workflow";
import { beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "./clock.ts";
import { ExpertRegistry, type RegisteredExpert } from "./expert/registry.ts";
import { workflowServiceRoutes } from "./services/workflow-service.ts";
import { MemoryStore } from "./store/memory.ts";
import { Workflows } from "./workflows.ts";

let store: MemoryStore;
let workflows: Workflows;
let client: ReturnType<typeof connect>;

/** Knows one expert with one action, which nobody calls. */
class OneExpert extends ExpertRegistry {
  override list(): RegisteredExpert[] {
    return [
      {
        id: "Clerk@1.0.0",
        description: create(DescribeResponseSchema, { name: "Clerk", version: "1.0.0", actions: [{ name: "ask" }] }),
        placement: "module",
        packageName: "clerk",
        permissions: permissionsSchema.parse({}),
        digest: "",
        publisher: "",
        averageLatencyMs: 0,
        instances: [],
      },
    ];
  }
}

function connect() {
  const registry = new OneExpert(store);
  workflows = new Workflows({ store, registry, clock: systemClock });
  return createClient(WorkflowService, inProcessTransport(workflowServiceRoutes(workflows, registry)));
}

beforeEach(() => {
  store = new MemoryStore();
  client = connect();
});

function definition(question: string): Workflow {
  const tasks = [{ id: "consent", expert: "Clerk", action: "ask", inputs: { question } }];
  const { workflow } = parseWorkflow(JSON.stringify({ workflow_id: "w", tasks }), "w.json");
  if (!workflow) throw new Error("it does not parse");
  return workflow;
}

async function publish(...questions: string[]): Promise<string[]> {
  const versions: string[] = [];
  for (const question of questions) {
    const { published } = await client.publishWorkflow({ workflow: definition(question) });
    versions.push(published?.version ?? "");
  }
  return versions;
}

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ConnectError) return error;
  throw new Error("it was not refused");
}

describe("versions", () => {
  it("are of the content, whatever the order of the keys in inputs", async () => {
    const [one, other] = [definition("same?"), definition("same?")];
    const inputs = { b: 1, a: { d: [1, 2], c: null } };
    one.inputs = inputs;
    other.inputs = { a: { c: null, d: [1, 2] }, b: 1 };
    const first = await client.publishWorkflow({ workflow: one });
    expect((await client.publishWorkflow({ workflow: other })).published?.version).toBe(first.published?.version);
    other.inputs = { ...inputs, b: 2 };
    expect((await client.publishWorkflow({ workflow: other })).published?.version).not.toBe(first.published?.version);
  });

  it("are listed newest first, page by page, and a token serves its own list only", async () => {
    const [one, two, three] = await publish("1?", "2?", "3?");
    const first = await client.listWorkflowVersions({ workflowId: "w", pageSize: 2 });
    expect(first.versions.map(({ version }) => version)).toEqual([three, two]);
    const pageToken = first.nextPageToken;
    const rest = await client.listWorkflowVersions({ workflowId: "w", pageSize: 2, pageToken });
    expect(rest.versions.map(({ version }) => version)).toEqual([one]);
    expect(rest.nextPageToken).toBe("");
    const foreign = await refusal(client.listWorkflowVersions({ workflowId: "v", pageToken }));
    expect(reasonOf(foreign)).toBe(Reason.BAD_PAGE_TOKEN);
    expect(reasonOf(await refusal(client.listWorkflowVersions({ workflowId: "none" })))).toBe(Reason.NOT_FOUND);
  });

  it("are told apart: the newest from the one before it where none are named", async () => {
    const [one, two] = await publish("first?", "second?");
    const newest = await client.diffWorkflows({ workflowId: "w" });
    const change = { path: "tasks.consent.inputs.question", before: '"first?"', after: '"second?"' };
    expect(newest).toMatchObject({ fromVersion: one, toVersion: two, changes: [change] });
    const back = await client.diffWorkflows({ workflowId: "w", fromVersion: two ?? "", toVersion: one ?? "" });
    expect(back.changes).toMatchObject([{ before: '"second?"', after: '"first?"' }]);
    const first = await refusal(client.diffWorkflows({ workflowId: "w", toVersion: one ?? "" }));
    expect(reasonOf(first)).toBe(Reason.NOT_FOUND);
    expect(first.rawMessage).toContain("the first of this workflow");
  });

  it("that are deprecated are passed over, taken by name, and warned of", async () => {
    const [one = "", two = ""] = await publish("1?", "2?");
    await client.deprecateWorkflow({ workflowId: "w", version: two, deprecation: "asks the wrong thing" });
    expect((await workflows.get("w")).version).toBe(one);
    expect((await workflows.get("w", two)).version).toBe(two);
    const { published } = await client.getWorkflow({ workflowId: "w" });
    expect(published).toMatchObject({ version: two, deprecation: "asks the wrong thing" });
    await client.deprecateWorkflow({ workflowId: "w", version: two, deprecation: "" });
    expect((await workflows.get("w")).version).toBe(two);
    const unknown = client.deprecateWorkflow({ workflowId: "w", version: "0000", deprecation: "x" });
    expect(reasonOf(await refusal(unknown))).toBe(Reason.NOT_FOUND);
  });

  it("that are all deprecated are refused, and named with the reasons", async () => {
    const versions = await publish("1?", "2?");
    for (const version of versions) await client.deprecateWorkflow({ workflowId: "w", version, deprecation: "old" });
    const error = await refusal(workflows.get("w"));
    expect(error.code).toBe(Code.FailedPrecondition);
    for (const version of versions) expect(error.rawMessage).toContain(`${version} (old)`);
    expect((await workflows.get("w", versions[0])).version).toBe(versions[0]);
    expect(reasonOf(await refusal(workflows.get("none")))).toBe(Reason.NOT_FOUND);
  });
});

describe("a draft", () => {
  it("may be unsound, and says what would keep it from being published", async () => {
    const workflow = definition("");
    workflow.tasks[0] = { ...(workflow.tasks[0] ?? fail()), dependsOn: ["nothing"] };
    const saved = await client.saveDraft({ workflow });
    expect(saved.draft?.issues[0]?.path).toBe("tasks[0].depends_on[0]");
    const { draft } = await client.getDraft({ workflowId: "w" });
    expect(draft).toMatchObject({ etag: saved.draft?.etag, workflow: { workflowId: "w" } });
    expect(draft?.issues).toEqual(saved.draft?.issues);
    expect(reasonOf(await refusal(client.getWorkflow({ workflowId: "w" })))).toBe(Reason.NOT_FOUND);
  });

  it("changes its etag with every save, and refuses one that is stale (B31)", async () => {
    const first = await client.saveDraft({ workflow: definition("1?") });
    const etag = first.draft?.etag ?? "";
    const second = await client.saveDraft({ workflow: definition("1?"), etag });
    expect(second.draft?.etag).not.toBe(etag);
    for (const stale of [etag, ""]) {
      const error = await refusal(client.saveDraft({ workflow: definition("2?"), etag: stale }));
      expect([error.code, reasonOf(error)]).toEqual([Code.Aborted, Reason.ETAG_MISMATCH]);
      const deleted = await refusal(client.deleteDraft({ workflowId: "w", etag: etag || "x" }));
      expect(reasonOf(deleted)).toBe(Reason.ETAG_MISMATCH);
    }
    await client.deleteDraft({ workflowId: "w", etag: second.draft?.etag ?? "" });
    expect(reasonOf(await refusal(client.getDraft({ workflowId: "w" })))).toBe(Reason.NOT_FOUND);
    expect(reasonOf(await refusal(client.deleteDraft({ workflowId: "w" })))).toBe(Reason.NOT_FOUND);
  });

  it("needs an id that a workflow could have", async () => {
    for (const id of ["", "1st", "a/b", "a".repeat(64)]) {
      const error = await refusal(client.saveDraft({ workflow: { ...definition("?"), workflowId: id } }));
      expect(reasonOf(error)).toBe(Reason.FIELD_FORMAT);
    }
  });
});

function fail(): never {
  throw new Error("the definition has a task");
}
