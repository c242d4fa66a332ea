import { describe, expect, test } from "vitest";
import { price, quantity, usd } from "./money.ts";

describe("usd", () => {
  test.each([
    [0, "$0.00"],
    [0.01, "$0.01"],
    [1.005, "$1.01"],
    [39.4, "$39.40"],
    [165, "$165.00"],
    [1_234_567.891, "$1,234,567.89"],
    [0.999, "$1.00"],
    [0.0099, "$0.0099"],
    [0.000_301_3, "$0.0003"],
    [0.000_000_012_34, "$0.000000012"],
  ])("%d is %s", (amount, text) => {
    expect(usd(amount)).toBe(text);
  });

  test("never shows a cost as zero", () => {
    for (let amount = 1e-30; amount < 1; amount *= 7) expect(Number(usd(amount).slice(1))).toBeGreaterThan(0);
  });
});

describe("quantity and price", () => {
  test.each([
    [0.013_149, "0.01315"],
    [730 / 24, "30.42"],
    [1000, "1,000"],
    [0.5, "0.5"],
    [123_456.7, "123,457"],
  ])("quantity %d is %s", (value, text) => {
    expect(quantity(value)).toBe(text);
  });

  test("a unit price keeps all its digits", () => {
    expect([0.023, 0.000_43, 0.004_05, 3.75].map(price)).toEqual(["$0.023", "$0.00043", "$0.00405", "$3.75"]);
  });
});
