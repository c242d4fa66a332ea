import { expect, test } from "vitest";
import { meanSlack, mostlyOf, outwards, quantileRanks, wilson } from "./interval.ts";

test("Wilson's interval holds the share, and bounds 0 and 1 as well", () => {
  const { low, high } = wilson(0.7, 1_000);
  expect(low).toBeCloseTo(0.6505, 3);
  expect(high).toBeCloseTo(0.7453, 3);
  expect(wilson(1, 1_000).low).toBeLessThan(1);
  expect(wilson(0, 1_000).high).toBeGreaterThan(0);
  expect(wilson(0.5, 0)).toEqual({ low: 0, high: 1 });
});

test("more rows than a batch may have do not narrow the interval", () => {
  expect(wilson(0.5, 10_000_000)).toEqual(wilson(0.5, 10_000));
});

test("mostly is rounded down to hundredths", () => {
  expect(mostlyOf(0.699)).toBe(0.69);
  expect(mostlyOf(0.29)).toBe(0.29);
});

test.each([
  [1234.5, "down", 1230],
  [1234.5, "up", 1240],
  [-1234.5, "down", -1240],
  [-1234.5, "up", -1230],
  [0.0012345, "up", 0.00124],
  [100, "up", 100],
  [0, "down", 0],
])("%d rounds %s to %d", (value, direction, rounded) => {
  expect(outwards(value, direction as "up" | "down")).toBe(rounded);
});

test("ranks widen for few rows, and never leave 0 to 1", () => {
  const [many, few] = [quantileRanks(0.5, 10_000), quantileRanks(0.5, 100)];
  expect(few.high - few.low).toBeGreaterThan(many.high - many.low);
  expect(quantileRanks(0.25, 4)).toEqual({ low: 0, high: 1 });
});

test("the slack of a mean shrinks to a tenth of the standard deviation", () => {
  expect(meanSlack(10, 1e9)).toBeGreaterThan(1);
  expect(meanSlack(10, 1e9)).toBeLessThan(1.5);
});
