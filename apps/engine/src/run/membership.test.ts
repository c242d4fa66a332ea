import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import { expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import type { EngineLease, Lease, RunRequest } from "../store/lease.ts";
import { Membership, NotForThisEngine } from "./membership.ts";

/** Time that a test moves. */
class ManualClock {
  time = 0;
  #waiting: { at: number; callback: () => void }[] = [];
  now = () => this.time;
  random = () => 0.5;
  after(ms: number, callback: () => void) {
    const one = { at: this.time + ms, callback };
    this.#waiting.push(one);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }
  async advance(ms: number) {
    this.time += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.time);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A store whose runs nobody drives. */
class Orphanage {
  left: string[] = [];
  looks = 0;
  lose = () => {};
  ask: (request: RunRequest) => void = () => {};
  answers: string[] = [];
  attach = async (): Promise<EngineLease> => ({
    name: "one",
    fence: 7n,
    onLost: (callback) => {
      this.lose = callback;
    },
    onRequest: (callback) => {
      this.ask = callback;
    },
    answer: async (id, answer) => void this.answers.push(`${id} ${Buffer.from(answer)}`),
    close: async () => undefined,
  });
  takeRuns = async (limit: number, except: readonly string[] = []): Promise<Lease[]> => {
    this.looks++;
    const taken = this.left.filter((runId) => !except.includes(runId)).slice(0, limit);
    this.left = this.left.filter((runId) => !taken.includes(runId));
    return taken.map((runId) => ({ runId, fence: 8n }));
  };
  giveBack = async ({ runId }: Lease) => void this.left.push(runId);
  sendRequest = async () => 1n;
  readAnswer = async () => undefined;
}

async function join(takeUp: (lease: Lease) => Promise<void>) {
  const [store, clock] = [new Orphanage(), new ManualClock()];
  const lost: string[] = [];
  const membership = new Membership({
    store,
    name: "one",
    clock,
    logger: createLogger("silent"),
    takeUp,
    answer: async ({ runId }) => Buffer.from(`heard of ${runId}`),
    lost: () => void lost.push("lost"),
  });
  await membership.join();
  return { store, clock, membership, lost };
}

test("an engine takes up all that was left, some at a time, and looks again each second", async () => {
  const taken: string[] = [];
  let [now, most] = [0, 0];
  const { store, clock, membership } = await join(async ({ runId }) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    taken.push(runId);
  });
  store.left = Array.from({ length: 250 }, (_, i) => `r${i}`);
  await membership.takeAll();
  expect(new Set(taken).size).toBe(250);
  expect(most).toBeLessThanOrEqual(8);
  membership.watch();
  store.left = ["late"];
  await clock.advance(1000);
  expect(taken.at(-1)).toBe("late");
  const { looks } = store;
  await clock.advance(1000);
  expect(store.looks).toBe(looks + 1);
  await membership.close();
  await clock.advance(60_000);
  expect(store.looks).toBe(looks + 1);
});

test("a run that cannot be taken up is tried again, and holds up no other", async () => {
  const tries: string[] = [];
  let away = true;
  const { store, clock, membership } = await join(async ({ runId }) => {
    tries.push(runId);
    if (runId === "stubborn" && away) throw new Error("the store is away");
  });
  store.left = ["stubborn", "easy"];
  await membership.takeAll();
  expect(tries).toEqual(["stubborn", "easy"]);
  await clock.advance(1000);
  expect(tries).toHaveLength(3);
  await clock.advance(1000);
  expect(tries, "the wait is doubled").toHaveLength(3);
  away = false;
  await clock.advance(1000);
  await clock.advance(60_000);
  expect(tries).toEqual(["stubborn", "easy", "stubborn", "stubborn"]);
});

test("a run that only a newer engine understands is given back, and not taken again", async () => {
  const tries: string[] = [];
  const { store, membership } = await join(async ({ runId }) => {
    tries.push(runId);
    if (runId === "newer") throw new NotForThisEngine("begun by a newer engine");
  });
  store.left = ["newer", "known"];
  await membership.takeAll();
  await membership.takeAll();
  expect(tries).toEqual(["newer", "known"]);
  expect(store.left).toEqual(["newer"]);
});

test("an engine whose name was taken begins nothing and takes nothing", async () => {
  const { store, membership, lost } = await join(async () => undefined);
  expect(membership.fence).toBe(7n);
  store.lose();
  expect(lost).toEqual(["lost"]);
  const refused = () => {
    try {
      return membership.fence;
    } catch (error) {
      return reasonOf(error);
    }
  };
  expect(refused()).toBe(Reason.UNAVAILABLE);
  store.left = ["r"];
  await membership.takeAll();
  expect(store.left).toEqual(["r"]);
});

test("what another engine asks is answered", async () => {
  const { store } = await join(async () => undefined);
  store.ask({ id: 3n, runId: "r", kind: "control", body: new Uint8Array() });
  await new Promise((resolve) => setImmediate(resolve));
  expect(store.answers).toEqual(["3 heard of r"]);
});
