import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatNumber, formatQuantity, formatShare, plural } from "./quantity.ts";

describe("quantities", () => {
  it.each([
    [0, "0%"],
    [0.00001, "<0.01%"],
    [0.2566, "25.66%"],
    [0.99999, ">99.99%"],
    [1, "100%"],
  ])("writes the share %d as %s, never rounding to all or nothing", (share, text) => {
    expect(formatShare(share)).toBe(text);
  });

  it.each([
    [0, "0 ms"],
    [840.4, "840 ms"],
    [2410, "2.41 s"],
    [59_999, "1 min"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [7_199_999, "2 h"],
  ])("writes %d ms as %s", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [999_600, "1 MB"],
    [14_321_876, "14.3 MB"],
    [2.5e12, "2.5 TB"],
  ])("writes %d bytes as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [199_871, "rows", "199,871 rows"],
    [0.5, "share", "50%"],
    [120, "USD/month", "$120.00/month"],
    [39.4, "USD", "$39.40"],
    [0.000123, "USD/month", "$0.00012/month"],
    [0, "USD", "$0.00"],
    [2048, "bytes", "2.05 kB"],
    [1.5, "s", "1.5 s"],
    [-120, "EUR", "-120 EUR"],
    [3, "", "3"],
    [Number.NaN, "rows", "NaN rows"],
  ])("writes %d in %s as %s", (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });

  it("writes very large and very small numbers by powers of ten", () => {
    expect(formatNumber(1.5e20)).toBe("1.50e+20");
    expect(formatNumber(2.5e-9)).toBe("2.50e-9");
    expect(formatNumber(0.00123)).toBe("0.00123");
  });

  it("counts in words", () => {
    expect([plural(1, "row"), plural(2, "row"), plural(2, "entry", "entries")]).toEqual([
      "1 row",
      "2 rows",
      "2 entries",
    ]);
  });
});
