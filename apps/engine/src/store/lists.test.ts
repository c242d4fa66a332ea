import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ApprovalDecidedSchema,
  ApprovalRequestedSchema,
  ApprovalStateSchema,
  ApprovalStatus,
  type Event,
  type Run,
  RunStatus,
  TaskStateSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunFilter, Store } from "./store.ts";
import { BACKENDS, event, run } from "./testing/fixtures.ts";

const START = 1_700_000_000_000;

for (const [name, open] of Object.entries(BACKENDS)) {
  describe(`lists of ${name}`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeAll(async () => ({ store, close } = await open()));
    afterAll(() => close());

    async function keep(one: Run): Promise<string> {
      await store.append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      return one.runId;
    }

    async function ids(filter: Omit<RunFilter, "limit">): Promise<string[]> {
      return (await store.listRuns({ limit: 100, ...filter })).map(({ runId }) => runId);
    }

    test("find runs by labels, all of which they must have", async () => {
      const workflowId = "labelled";
      const both = await keep(run({ workflowId, labels: { team: "data", note: 'a "quoted", {odd} \\ value' } }));
      const one = await keep(run({ workflowId, labels: { team: "data" } }));
      await keep(run({ workflowId, labels: { team: "other" } }));
      expect(await ids({ workflowId, labels: { team: "data" } })).toEqual([one, both]);
      expect(await ids({ labels: { team: "data", note: 'a "quoted", {odd} \\ value' } })).toEqual([both]);
      expect(await ids({ workflowId, labels: { team: "dat" } })).toEqual([]);
      expect((await store.listRuns({ limit: 1, labels: { team: "data" } }))[0]?.labels).toEqual({ team: "data" });
    });

    test("find runs by user and by the time of their creation", async () => {
      const user = "ada@example.org";
      const runs = [];
      for (const hour of [0, 1, 2]) {
        runs.push(await keep(run({ user, createTime: timestampFromMs(START + hour * 3_600_000) })));
      }
      await keep(run({ user: "bob@example.org" }));
      expect(await ids({ user })).toEqual(runs.toReversed());
      expect(await ids({ user, createdFromMs: START + 3_600_000 })).toEqual([runs[2], runs[1]]);
      expect(await ids({ user, createdBeforeMs: START + 3_600_000 })).toEqual([runs[0]]);
      const before = runs[2] ?? "";
      expect(await ids({ user, createdFromMs: START, before })).toEqual([runs[1], runs[0]]);
    });

    test("leave out the tasks, and show what changed", async () => {
      const user = "carol";
      const tasks = [create(TaskStateSchema, { taskId: "a", status: TaskStatus.READY })];
      const one = run({ user, tasks, taskCounts: [{ status: TaskStatus.READY, count: 1 }], lastSeq: 1n });
      await keep(one);
      const ended = {
        ...one,
        status: RunStatus.FAILED,
        lastSeq: 2n,
        endTime: timestampFromMs(START + 5),
        taskCounts: [{ ...one.taskCounts[0]!, status: TaskStatus.FAILED }],
      };
      await store.append({ runId: one.runId, events: [event(one.runId, 2)], run: ended, changed: [] });
      const [listed] = await store.listRuns({ user, limit: 10 });
      expect(listed).toMatchObject({ status: RunStatus.FAILED, lastSeq: 2n, tasks: [], user });
      expect(listed?.taskCounts.map(({ status, count }) => [status, count])).toEqual([[TaskStatus.FAILED, 1]]);
      expect(listed?.endTime).toEqual(ended.endTime);
    });

    test("show consents, oldest first, page by page, until nobody waits for them any more", async () => {
      const asked = [];
      for (const second of [2, 1, 3]) asked.push(await ask(START + second * 1000));
      const oldestFirst = [asked[1], asked[0], asked[2]];
      const pending = { status: ApprovalStatus.PENDING, limit: 10 };
      const listed = await store.listApprovals(pending);
      expect(listed.map(({ approval }) => approval.runId)).toEqual(oldestFirst.map((one) => one?.runId));
      expect(listed[0]?.approval).toMatchObject({ taskId: "a", requestedBy: "dan", workflowId: "w" });
      expect(listed[0]?.approval.approval?.question).toBe("Sure?");
      const second = await store.listApprovals({ ...pending, limit: 1, after: listed[0]?.place });
      expect(second.map(({ approval }) => approval.runId)).toEqual([oldestFirst[1]?.runId]);
      await decide(oldestFirst[0]!);
      // The second one's run is cancelled.
      const cancelled = { ...oldestFirst[1]!, status: RunStatus.CANCELLED };
      await store.append({ runId: cancelled.runId, events: [event(cancelled.runId, 3)], run: cancelled, changed: [] });
      expect((await store.listApprovals(pending)).map(({ approval }) => approval.runId)).toEqual([
        oldestFirst[2]?.runId,
      ]);
      const approved = await store.listApprovals({ status: ApprovalStatus.APPROVED, limit: 10 });
      expect(approved.map(({ approval }) => approval.approval?.decidedBy)).toEqual(["eve"]);
      expect(await store.listApprovals({ runId: oldestFirst[2]!.runId, limit: 10 })).toHaveLength(1);
    });

    async function ask(requestMs: number): Promise<Run> {
      const approval = create(ApprovalStateSchema, {
        status: ApprovalStatus.PENDING,
        question: "Sure?",
        requestTime: timestampFromMs(requestMs),
      });
      const one = run({ user: "dan", tasks: [{ taskId: "a", status: TaskStatus.WAITING_APPROVAL, approval }] });
      const requested: Event["kind"] = { case: "approvalRequested", value: create(ApprovalRequestedSchema) };
      await keep(one);
      const events = [{ ...event(one.runId, 2), kind: requested }];
      await store.append({ runId: one.runId, events, run: one, changed: [0] });
      return one;
    }

    async function decide(one: Run): Promise<void> {
      const [task] = one.tasks;
      const approval = { ...task!.approval!, status: ApprovalStatus.APPROVED, decidedBy: "eve" };
      const decided: Event["kind"] = { case: "approvalDecided", value: create(ApprovalDecidedSchema) };
      const next = { ...one, tasks: [{ ...task!, approval, status: TaskStatus.READY }] };
      const events = [{ ...event(one.runId, 3), kind: decided }];
      await store.append({ runId: one.runId, events, run: next, changed: [0] });
    }
  });
}
