import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ApprovalStatus, RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reasonName, reasonOf, USER_HEADER } from "@odg/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageToken as token } from "../page-token.ts";
import { type EngineUnderTest, PROBE_EXPERT, startEngine, watchToEnd, workflowOf } from "../testing/index.ts";

let engine: EngineUnderTest;
beforeAll(async () => {
  engine = await startEngine({ experts: [PROBE_EXPERT] });
});
afterAll(() => engine.close());

const as = (user: string) => ({ headers: { [USER_HEADER]: user } });

async function start(user: string, labels: Record<string, string>, tasks: object[] = [{ id: "a", action: "echo" }]) {
  const source = { case: "workflow" as const, value: workflowOf(tasks) };
  return (await engine.runs.startRun({ source, labels }, as(user))).run?.runId ?? "";
}

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error === undefined ? "accepted" : `${reasonName(reasonOf(error))} ${Code[ConnectError.from(error).code]}`;
}

describe("a list of runs", () => {
  const ids: string[] = [];
  beforeAll(async () => {
    for (const [user, team] of [
      ["alice", "a"],
      ["alice", "b"],
      ["bob", "a"],
    ] as const) {
      const runId = await start(user, { team, kind: "test" });
      ids.push(runId);
      await watchToEnd(engine.runs, runId);
    }
  });

  const listed = async (filter: Parameters<typeof engine.runs.listRuns>[0]) =>
    (await engine.runs.listRuns(filter)).runs.map(({ runId }) => ids.indexOf(runId));

  test("holds those of a user, with all of the labels, of a time; newest first, without their tasks", async () => {
    expect(await listed({})).toEqual([2, 1, 0]);
    expect(await listed({ user: "alice" })).toEqual([1, 0]);
    expect(await listed({ labels: { team: "a", kind: "test" } })).toEqual([2, 0]);
    expect(await listed({ user: "alice", labels: { team: "a" } })).toEqual([0]);
    expect(await listed({ status: RunStatus.FAILED })).toEqual([]);
    const { runs } = await engine.runs.listRuns({});
    const created = Number(runs[0]?.createTime?.seconds ?? 0n) * 1000;
    expect(await listed({ createTimeFrom: timestampFromMs(created + 60_000) })).toEqual([]);
    expect(await listed({ createTimeBefore: timestampFromMs(created + 60_000) })).toEqual([2, 1, 0]);
    expect(runs[0]).toMatchObject({ user: "bob", tasks: [] });
    const counts = runs[0]?.taskCounts.filter(({ count }) => count > 0);
    expect(counts).toMatchObject([{ status: TaskStatus.SUCCEEDED, count: 1 }]);
  });

  test("goes on with its own token, and refuses that of another filter, a forged one and a negative size", async () => {
    const first = await engine.runs.listRuns({ pageSize: 1, user: "alice" });
    expect(first.runs).toHaveLength(1);
    const { nextPageToken: pageToken } = first;
    const second = await engine.runs.listRuns({ pageSize: 1_000_000_000, user: "alice", pageToken });
    expect(second.runs.map(({ runId }) => ids.indexOf(runId))).toEqual([0]);
    expect(second.nextPageToken).toBe("");
    const bad = "BAD_PAGE_TOKEN InvalidArgument";
    expect(await refusal(engine.runs.listRuns({ user: "bob", pageToken }))).toBe(bad);
    expect(await refusal(engine.runs.listRuns({ user: "alice", labels: { team: "a" }, pageToken }))).toBe(bad);
    expect(await refusal(engine.runs.listRuns({ pageToken: "Zm9yZ2Vk" }))).toBe(bad);
    expect(await refusal(engine.runs.listApprovals({ pageToken }))).toBe(bad);
    // With the right check, as anybody can make it who knows how.
    for (const place of ["no uuid", "{", '{"requestMs":1}']) {
      const list = `runs\n${JSON.stringify({ user: "alice" })}`;
      expect(await refusal(engine.runs.listRuns({ user: "alice", pageToken: token(list, place) }))).toBe(bad);
      const approvals = `approvals\n${ApprovalStatus.PENDING}\n`;
      expect(await refusal(engine.runs.listApprovals({ pageToken: token(approvals, place) }))).toBe(bad);
    }
    expect(await refusal(engine.runs.listRuns({ pageSize: -1 }))).toMatch(/InvalidArgument$/);
  });
});

test("consents are listed oldest first, by pages, and by how they stand", async () => {
  const ids = ["first", "second", "third"];
  const runId = await start(
    "alice",
    {},
    ids.map((id) => ({ id, approval: { question: id } })),
  );
  const { approvals, nextPageToken } = await engine.runs.listApprovals({ runId, pageSize: 2 });
  expect(approvals.map(({ taskId }) => taskId)).toEqual(["first", "second"]);
  const rest = await engine.runs.listApprovals({ runId, pageSize: 2, pageToken: nextPageToken });
  expect(rest.approvals.map(({ taskId }) => taskId)).toEqual(["third"]);
  expect(rest.nextPageToken).toBe("");
  await engine.runs.decideApproval({ runId, taskId: "second", approve: true }, as("bob"));
  const { approvals: granted } = await engine.runs.listApprovals({ runId, status: ApprovalStatus.APPROVED });
  expect(granted.map(({ taskId, approval }) => [taskId, approval?.decidedBy])).toEqual([["second", "bob"]]);
  await engine.runs.cancelRun({ runId });
});

test("a user's name that no list could show is refused", async () => {
  const source = { case: "workflow" as const, value: workflowOf([{ id: "a", action: "echo" }]) };
  const headers = { [USER_HEADER]: "x".repeat(257) };
  expect(await refusal(engine.runs.startRun({ source }, { headers }))).toBe("FIELD_FORMAT InvalidArgument");
});
