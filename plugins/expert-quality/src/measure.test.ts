import { expect, test } from "vitest";
import { measure } from "./measure.ts";
import { orderedPairs } from "./pairs.ts";
import { seeded } from "./testdata/bookings.ts";

const column = { name: "c", kind: "number", withheld: false } as const;
const random = seeded(3);
const noise = Array.from({ length: 2_000 }, () => 100 + random() * 50);

test("numbers that are alike throughout get quantile bounds, rounded outwards", () => {
  const { numbers } = measure(column, noise);
  expect(numbers?.drifts).toBe(false);
  expect(numbers?.quantiles.map(({ level }) => level)).toEqual([0.25, 0.5, 0.75]);
  for (const { low, high } of numbers?.quantiles ?? []) expect(low).toBeLessThan(high);
});

test("numbers that grow with the rows get none", () => {
  const { numbers } = measure(
    column,
    Array.from({ length: 2_000 }, (_, row) => row),
  );
  expect(numbers).toMatchObject({ drifts: true, quantiles: [] });
});

test("few numbers get none, and nothing breaks without any", () => {
  expect(measure(column, [1, 2, 3]).numbers?.quantiles).toEqual([]);
  expect(measure(column, [null, null])).toMatchObject({ present: 0, distinct: 0, numbers: { outliers: 0 } });
});

test("a value far out is an outlier, the tail of skewed prices is not", () => {
  expect(measure(column, [...noise, 1e6, -1e6]).numbers?.outliers).toBe(2);
  const skewed = Array.from({ length: 2_000 }, () => Math.exp(3 + 0.8 * (random() + random() + random() - 1.5) * 2));
  expect(measure(column, skewed).numbers?.outliers).toBe(0);
});

test("of a withheld column only counts are measured", () => {
  expect(measure({ ...column, withheld: true }, noise).numbers).toBeUndefined();
});

test("an order that holds in every row is told from one that ranges force", () => {
  const start = Array.from({ length: 500 }, () => Math.floor(random() * 1_000));
  const end = start.map((value) => value + Math.floor(random() * 100));
  const far = start.map(() => 100_000 + random());
  const number = (name: string, values: number[]) => ({ name, kind: "number" as const, values });
  const pairs = orderedPairs([number("start", start), number("end", end), number("far", far)]);
  expect(pairs.map(({ greater, smaller }) => `${greater} ${smaller}`)).toEqual(["end start"]);
});
