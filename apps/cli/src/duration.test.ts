import { describe, expect, it } from "vitest";
import { durationMs, momentMs } from "./duration.ts";
import { labelsOf } from "./inputs.ts";
import { UsageError } from "./usage-error.ts";

describe("what is typed", () => {
  it.each([
    ["500ms", 500],
    ["30", 30_000],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
  ])("%s is a time of so many milliseconds", (text, ms) => {
    expect(durationMs("--timeout", text)).toBe(ms);
  });

  it.each(["", "soon", "-5s", "5 s", "1w"])("%j is none, and the flag is named", (text) => {
    expect(() => durationMs("--timeout", text)).toThrow(
      new UsageError(`--timeout ${text}: use a number of seconds, or 500ms, 30s, 5m, 1h, 7d`),
    );
  });

  it("is a moment before now, or a date", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    expect(momentMs("--since", "12h", now)).toBe(Date.parse("2026-11-23T00:00:00Z"));
    expect(momentMs("--since", "2026-11-01", now)).toBe(Date.parse("2026-11-01T00:00:00Z"));
    expect(momentMs("--since", "2026-11-01T06:00:00Z", now)).toBe(Date.parse("2026-11-01T06:00:00Z"));
    for (const text of ["yesterday", "2026-13-45", "11/23"]) {
      expect(() => momentMs("--since", text, now)).toThrow(UsageError);
    }
  });

  it("are labels, each once, with whatever stands behind the first =", () => {
    expect(labelsOf(["team=red", "note=a=b", "empty="])).toEqual({ team: "red", note: "a=b", empty: "" });
    for (const pairs of [["team"], ["=red"], ["a=1", "a=2"]]) expect(() => labelsOf(pairs)).toThrow(UsageError);
  });
});
