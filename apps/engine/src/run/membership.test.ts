import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { createLogger } from "../logger.ts";
import type { Lease } from "../store/lease.ts";
import { MemoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { event, run } from "../store/testing/fixtures.ts";
import { Membership, NotForThisEngine } from "./membership.ts";

/** A member under this name, which takes runs up as `takeUp` says. */
async function member(database: MemoryDatabase, name: string, takeUp: (lease: Lease) => Promise<void>) {
  const membership = new Membership({
    store: new MemoryStore(database),
    name,
    clock: systemClock,
    logger: createLogger("silent"),
    takeUp,
    answer: async () => new Uint8Array(),
    lost: () => undefined,
  });
  await membership.join();
  return membership;
}

test("a run that only a newer engine understands is left to that one", async () => {
  const database = new MemoryDatabase();
  const one = run();
  new MemoryStore(database).append({ runId: one.runId, events: [event(one.runId, 1)], run: one });
  let tries = 0;
  const old = await member(database, "old", async () => {
    tries++;
    throw new NotForThisEngine("of a newer version");
  });
  await old.takeAll();
  await old.takeAll();
  expect(tries).toBe(1);
  const taken: string[] = [];
  const newer = await member(database, "newer", async ({ runId }) => void taken.push(runId));
  await newer.takeAll();
  expect(taken).toEqual([one.runId]);
  await Promise.all([old.close(), newer.close()]);
});
