import fc from "fast-check";
import { expect, test } from "vitest";
import { GroupCommit } from "./group-commit.ts";

interface Item {
  key: string;
  size: number;
  n: number;
}

/** A group whose commits take a moment and are written down. */
function recorded(fault?: (item: Item) => Error | undefined) {
  const batches: Item[][] = [];
  const group = new GroupCommit<Item>(async (items) => {
    batches.push([...items]);
    await new Promise((resolve) => setImmediate(resolve));
    return items.map((item) => fault?.(item));
  });
  return { batches, group };
}

const item = (n: number, key = `run ${n}`, size = 1): Item => ({ n, key, size });

test("what comes while a commit is under way goes with the next one", async () => {
  const { batches, group } = recorded();
  const first = [group.add(item(0)), group.add(item(1))];
  await new Promise((resolve) => setTimeout(resolve, 0));
  await Promise.all([...first, group.add(item(2)), group.add(item(3))]);
  expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
});

test("a batch is bounded in number and in bytes, but takes one item of any size", async () => {
  const { batches, group } = recorded();
  const large = 10 * 1024 * 1024;
  const many = Array.from({ length: 1200 }, (_, n) => group.add(item(n)));
  const heavy = [large, large, 100 * large].map((size, i) => group.add(item(2000 + i, `heavy ${i}`, size)));
  await Promise.all([...many, ...heavy]);
  expect(batches.map((batch) => batch.length)).toEqual([500, 500, 201, 1, 1]);
});

test("only the item that fails is told so", async () => {
  const { group } = recorded(({ n }) => (n === 1 ? new Error("refused") : undefined));
  const outcomes = await Promise.allSettled([0, 1, 2].map((n) => group.add(item(n))));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("a commit that fails as a whole fails its items, and nothing later", async () => {
  let failing = true;
  const group = new GroupCommit<Item>(async (items) => {
    if (failing) throw new Error("away");
    return items.map(() => undefined);
  });
  await expect(group.add(item(0))).rejects.toThrow("away");
  failing = false;
  await group.add(item(1));
  await group.idle();
});

test("items of one key keep their order and never share a batch, whatever comes when", async () => {
  const arrivals = fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), late: fc.boolean() }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(arrivals, async (items) => {
      const { batches, group } = recorded();
      const added: Promise<void>[] = [];
      for (const [n, { key, late }] of items.entries()) {
        if (late) await new Promise((resolve) => setImmediate(resolve));
        added.push(group.add(item(n, key)));
      }
      await Promise.all(added);
      for (const batch of batches) expect(new Set(batch.map(({ key }) => key)).size).toBe(batch.length);
      for (const key of ["a", "b", "c"]) {
        const order = batches.flat().flatMap((one) => (one.key === key ? [one.n] : []));
        expect(order).toEqual(items.flatMap((one, n) => (one.key === key ? [n] : [])));
      }
    }),
    { numRuns: 50 },
  );
});
