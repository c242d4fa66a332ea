import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunRequest } from "./lease.ts";
import { LeaseLost, type Store } from "./store.ts";
import { event, run, SHARED, type Shared } from "./testing/fixtures.ts";

const MANY = 1000;

for (const [name, openShared] of Object.entries(SHARED)) {
  describe(`engines that share a store in ${name}`, () => {
    let shared: Shared;
    beforeEach(async () => {
      shared = await openShared();
    });
    afterEach(() => shared.close());

    /** An engine under this name. */
    async function engine(engineName: string) {
      const store = await shared.open();
      return { store, lease: await store.attach({ name: engineName }) };
    }

    async function begin(store: Store, fence: bigint, status = RunStatus.RUNNING) {
      const one = run({ status });
      await store.append({ runId: one.runId, fence, events: [event(one.runId, 1)], run: one });
      return one;
    }

    test("leave each other's runs alone", async () => {
      const [a, b] = [await engine("alone-a"), await engine("alone-b")];
      await begin(a.store, a.lease.fence);
      expect(await b.store.takeRuns(MANY)).toEqual([]);
      expect(await a.store.takeRuns(MANY)).toEqual([]);
    });

    test("take up the runs of one that left, oldest first, as many as they want, and once", async () => {
      const [a, b, c] = [await engine("left-a"), await engine("left-b"), await engine("left-c")];
      const runs = [await begin(a.store, a.lease.fence), await begin(a.store, a.lease.fence, RunStatus.PAUSED)];
      const last = await begin(a.store, a.lease.fence);
      await begin(a.store, a.lease.fence, RunStatus.SUCCEEDED);
      await a.lease.close();
      const taken = await b.store.takeRuns(2);
      expect(taken.map(({ runId }) => runId)).toEqual(runs.map(({ runId }) => runId));
      for (const { fence } of taken) expect(fence).toBeGreaterThan(a.lease.fence);
      const [first, second] = await Promise.all([b.store.takeRuns(MANY), c.store.takeRuns(MANY)]);
      expect([...first, ...second].map(({ runId }) => runId)).toEqual([last.runId]);
    });

    test("refuse what the former owner of a run still appends", async () => {
      const [a, b] = [await engine("late-a"), await engine("late-b")];
      const one = await begin(a.store, a.lease.fence);
      await shared.expire("late-a");
      const [lease] = await b.store.takeRuns(MANY);
      const late = async () =>
        a.store.append({ runId: one.runId, fence: a.lease.fence, events: [event(one.runId, 2)], run: one });
      await expect(late()).rejects.toThrow(LeaseLost);
      expect(await b.store.readEvents(one.runId, 0n)).toHaveLength(1);
      await b.store.append({ runId: one.runId, fence: lease?.fence ?? 0n, events: [event(one.runId, 2)], run: one });
      expect(await a.store.readEvents(one.runId, 0n)).toHaveLength(2);
    });

    test("let one whose lease ran out go on with what nobody took", async () => {
      const a = await engine("slow-a");
      const one = await begin(a.store, a.lease.fence);
      await shared.expire("slow-a");
      await a.store.append({ runId: one.runId, fence: a.lease.fence, events: [event(one.runId, 2)], run: one });
      expect(await a.store.readEvents(one.runId, 0n)).toHaveLength(2);
    });

    test("give a restarted engine its own runs at once, and tell its former self", async () => {
      const before = await engine("again");
      const lost = new Promise<void>((resolve) => before.lease.onLost(resolve));
      const one = await begin(before.store, before.lease.fence);
      const other = await engine("again-other");
      const after = await engine("again");
      expect(await other.store.takeRuns(MANY)).toEqual([]);
      expect((await after.store.takeRuns(MANY)).map(({ runId }) => runId)).toEqual([one.runId]);
      await lost;
    });

    test("take a run that was given back, and no run of a fence that is over", async () => {
      const [a, b] = [await engine("back-a"), await engine("back-b")];
      const one = await begin(a.store, a.lease.fence);
      await a.store.giveBack({ runId: one.runId, fence: a.lease.fence });
      expect(await b.store.takeRuns(MANY, [one.runId])).toEqual([]);
      const [taken] = await b.store.takeRuns(MANY);
      expect(taken?.runId).toBe(one.runId);
      await a.store.giveBack({ runId: one.runId, fence: a.lease.fence });
      expect(await a.store.takeRuns(MANY)).toEqual([]);
    });

    test("pass a request on to the engine that drives the run, and its answer back", async () => {
      const [a, b] = [await engine("asked-a"), await engine("asked-b")];
      const one = await begin(a.store, a.lease.fence);
      const heard: RunRequest[] = [];
      a.lease.onRequest((request) => {
        heard.push(request);
        void a.lease.answer(request.id, Buffer.from("yes"));
      });
      b.lease.onRequest(() => expect.unreachable("it drives no run"));
      const id = await b.store.sendRequest({ runId: one.runId, kind: "cancel", body: Buffer.from("please") });
      const answer = await until(() => b.store.readAnswer(id));
      expect(Buffer.from(answer).toString()).toBe("yes");
      expect(heard.map(({ kind, runId, body }) => [kind, runId, Buffer.from(body).toString()])).toEqual([
        ["cancel", one.runId, "please"],
      ]);
      expect(await b.store.readAnswer(id)).toBeUndefined();
    });

    test("pass an unanswered request on to the engine that takes the run", async () => {
      const [a, b] = [await engine("heir-a"), await engine("heir-b")];
      const one = await begin(a.store, a.lease.fence);
      const heardByA = new Promise<RunRequest>((resolve) => a.lease.onRequest(resolve));
      const id = await a.store.sendRequest({ runId: one.runId, kind: "pause", body: new Uint8Array() });
      await heardByA;
      await a.lease.close();
      const heardByB = new Promise<RunRequest>((resolve) => b.lease.onRequest(resolve));
      await b.store.takeRuns(MANY);
      expect((await heardByB).id).toBe(id);
    });
  });
}

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
