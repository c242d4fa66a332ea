import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { TaskStateSchema, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Append, JournalConflict, type Store } from "./store.ts";
import { BACKENDS, event, run } from "./testing/fixtures.ts";

for (const [name, open] of Object.entries(BACKENDS)) {
  describe(`a journal in ${name}`, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeAll(async () => ({ store, close } = await open()));
    afterAll(() => close());

    /** Appends as a driver does: what fails at once fails as a promise. */
    async function append(one: Append): Promise<void> {
      await store.append(one);
    }

    test("takes the same append again, whose first answer was lost", async () => {
      const one = run();
      const first = { runId: one.runId, events: [event(one.runId, 1), event(one.runId, 2)], run: one };
      await append(first);
      await append(first);
      expect(await store.readEvents(one.runId, 0n)).toHaveLength(2);
      const other = { ...first, events: [event(one.runId, 1), { ...event(one.runId, 2), time: undefined }] };
      await expect(append(other as never)).rejects.toThrow(JournalConflict);
    });

    test("refuses a gap, and a run that was never begun", async () => {
      const one = run();
      await append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      await expect(append({ runId: one.runId, events: [event(one.runId, 3)], run: one })).rejects.toThrow(
        JournalConflict,
      );
      const nobody = run();
      const late = { runId: nobody.runId, events: [event(nobody.runId, 2)], run: nobody };
      await expect(append(late)).rejects.toThrow(JournalConflict);
      expect(await store.getRun(nobody.runId)).toBeUndefined();
    });

    test("keeps the order of appends that were not waited for", async () => {
      const one = run();
      const appends = Array.from({ length: 20 }, (_, i) =>
        append({ runId: one.runId, events: [event(one.runId, i + 1)], run: one }),
      );
      await Promise.all(appends);
      expect((await store.readEvents(one.runId, 0n)).map(({ seq }) => Number(seq))).toEqual(
        [...Array(20).keys()].map((i) => i + 1),
      );
    });

    test("fails nobody else for what cannot be kept", async () => {
      const runs = Array.from({ length: 9 }, () => run());
      const odd = run({ runId: "not an id of a run", workflowId: "odd" });
      const all = [...runs.slice(0, 4), odd, ...runs.slice(4)];
      const appends = all.map((one) => append({ runId: one.runId, events: [event(one.runId, 1)], run: one }));
      const outcomes = await Promise.allSettled(appends);
      // Memory keeps it.
      expect(outcomes.map(({ status }) => status)).toEqual(
        all.map((one) => (one === odd && name !== "memory" ? "rejected" : "fulfilled")),
      );
      for (const one of runs) expect(await store.readEvents(one.runId, 0n)).toHaveLength(1);
    });

    test("reads events by pages", async () => {
      const one = run();
      const events = [1, 2, 3, 4].map((seq) => event(one.runId, seq));
      await append({ runId: one.runId, events, run: one });
      expect((await store.readEvents(one.runId, 1n, 2)).map(({ seq }) => seq)).toEqual([2n, 3n]);
    });

    test("begins a replay at the newest snapshot", async () => {
      const one = run();
      const snapshotAt = (seq: bigint) => ({ seq, bytes: Buffer.from(`as of ${seq}`) });
      await append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      expect(await store.readRun(one.runId)).toEqual({ events: [event(one.runId, 1)] });
      await append({ runId: one.runId, events: [event(one.runId, 2)], run: one, snapshot: snapshotAt(2n) });
      await append({ runId: one.runId, events: [event(one.runId, 3)], run: one });
      await append({ runId: one.runId, events: [event(one.runId, 4)], run: one, snapshot: snapshotAt(4n) });
      await append({ runId: one.runId, events: [event(one.runId, 5)], run: one });
      const stored = await store.readRun(one.runId);
      expect(stored?.snapshot?.seq).toBe(4n);
      expect(Buffer.from(stored?.snapshot?.bytes ?? []).toString()).toBe("as of 4");
      expect(stored?.events.map(({ seq }) => seq)).toEqual([5n]);
      expect(await store.readRun(run().runId)).toBeUndefined();
    });

    test("keeps a blob once, and none of an append that is refused", async () => {
      const one = run();
      const blob = (text: string) => ({
        digest: createHash("sha256").update(text).digest("hex"),
        bytes: Buffer.from(text),
      });
      const [large, lost] = [blob("x".repeat(300_000)), blob("never")];
      await append({ runId: one.runId, events: [event(one.runId, 1)], run: one, blobs: [large, large] });
      await append({ runId: one.runId, events: [event(one.runId, 2)], run: one, blobs: [large] });
      expect(Buffer.from((await store.getBlob(large.digest)) ?? [])).toEqual(large.bytes);
      const refused = { runId: one.runId, events: [event(one.runId, 9)], run: one, blobs: [lost] };
      await expect(append(refused)).rejects.toThrow(JournalConflict);
      expect(await store.getBlob(lost.digest)).toBeUndefined();
    });

    test("writes the tasks that changed, and leaves the others", async () => {
      const states = ["a", "b", "c"].map((taskId) => create(TaskStateSchema, { taskId, status: TaskStatus.PENDING }));
      const one = run({ tasks: states });
      await append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
      const next = {
        ...one,
        tasks: one.tasks.map((task, i) => ({ ...task, status: i === 1 ? TaskStatus.RUNNING : task.status })),
      };
      await append({ runId: one.runId, events: [event(one.runId, 2)], run: next, changed: [1, 1] });
      expect((await store.getRun(one.runId))?.tasks.map(({ taskId, status }) => [taskId, status])).toEqual([
        ["a", TaskStatus.PENDING],
        ["b", TaskStatus.RUNNING],
        ["c", TaskStatus.PENDING],
      ]);
    });
  });
}
