import { expect, test } from "vitest";
import { SpacedWrites } from "./spaced-writes.ts";

/** Writes that take a moment, or fail where they say so. */
function written(pauseMs: number) {
  const log: string[] = [];
  const writes = new SpacedWrites<{ a?: number; b?: number; fail?: boolean }>(pauseMs, async (key, change) => {
    log.push(`${key} ${JSON.stringify(change)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (change.fail) throw new Error("refused");
  });
  return { log, writes };
}

test("many changes come to two writes, of which the second holds the newest of each field", async () => {
  const { log, writes } = written(30);
  await Promise.all([
    writes.add("x", { a: 1 }),
    ...Array.from({ length: 1000 }, (_, i) => writes.add("x", i % 2 ? { a: i } : { b: i })),
  ]);
  expect(log).toEqual(['x {"a":1}', 'x {"b":998,"a":999}']);
});

test("one key does not wait for another", async () => {
  const { log, writes } = written(60_000);
  await Promise.all([writes.add("x", { a: 1 }), writes.add("y", { a: 2 })]);
  expect(log).toEqual(['x {"a":1}', 'y {"a":2}']);
});

test("what is urgent does not wait for the pause, and takes with it what waits", async () => {
  const { log, writes } = written(60_000);
  await writes.add("x", { a: 1 });
  await Promise.all([writes.add("x", { a: 2 }), writes.add("x", { b: 3 }, true)]);
  expect(log).toEqual(['x {"a":1}', 'x {"a":2,"b":3}']);
});

test("a write that fails fails those who waited for it, and no later one", async () => {
  const { log, writes } = written(10);
  await expect(writes.add("x", { fail: true })).rejects.toThrow("refused");
  await writes.add("x", { a: 1 });
  expect(log).toHaveLength(2);
});

test("flushing writes what waits", async () => {
  const { log, writes } = written(60_000);
  void writes.add("x", { a: 1 });
  void writes.add("x", { a: 2 });
  await writes.flush();
  expect(log).toEqual(['x {"a":1}', 'x {"a":2}']);
});
