import { describe, expect, it } from "vitest";
import { type CronFault, type Times, timesOf } from "./cron.ts";

function times(cron: string, zone = "Europe/Berlin"): Times {
  const read = timesOf(cron, zone);
  if ("field" in read) throw new Error(read.message);
  return read;
}

function fault(cron: string, zone = ""): CronFault | undefined {
  const read = timesOf(cron, zone);
  return "field" in read ? read : undefined;
}

function next(cron: string, from: string, count: number, zone?: string): string[] {
  const all: string[] = [];
  for (let at = Date.parse(from); all.length < count; ) {
    at = times(cron, zone).after(at) ?? Number.NaN;
    all.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return all;
}

describe("the times of a schedule", () => {
  it("are those after a moment, never that moment itself", () => {
    expect(next("*/5 * * * *", "2026-01-01T00:05:00Z", 2, "UTC")).toEqual(["2026-01-01T00:10Z", "2026-01-01T00:15Z"]);
    expect(next("*/5 * * * *", "2026-01-01T00:04:59.999Z", 1, "UTC")).toEqual(["2026-01-01T00:05Z"]);
  });

  it("are read in UTC where no zone is named, and follow the zone through summer and winter", () => {
    expect(next("0 6 * * *", "2026-07-01T00:00:00Z", 1, "")).toEqual(["2026-07-01T06:00Z"]);
    expect(next("0 6 * * *", "2026-07-01T00:00:00Z", 1)).toEqual(["2026-07-01T04:00Z"]);
    expect(next("0 6 * * *", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-01T05:00Z"]);
    expect(next("30 9 * * MON-FRI", "2026-11-27T12:00:00Z", 1, "Asia/Kolkata")).toEqual(["2026-11-30T04:00Z"]);
  });

  // 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC.
  it("move to the end of the hour that is left out, once", () => {
    const from = "2026-03-28T12:00:00Z";
    expect(next("30 2 * * *", from, 2)).toEqual(["2026-03-29T01:00Z", "2026-03-30T00:30Z"]);
    expect(next("15,45 2 * * *", from, 2)).toEqual(["2026-03-29T01:00Z", "2026-03-30T00:15Z"]);
    expect(next("0 3 * * *", from, 2)).toEqual(["2026-03-29T01:00Z", "2026-03-30T01:00Z"]);
    expect(next("*/30 * * * *", "2026-03-29T00:00:00Z", 3)).toEqual([
      "2026-03-29T00:30Z",
      "2026-03-29T01:00Z",
      "2026-03-29T01:30Z",
    ]);
  });

  // 25 October 2026: 03:00 becomes 02:00, so the hour from 00:00 UTC comes again from 01:00 UTC.
  it("come once in the hour that comes twice, or go on by the wall's clock", () => {
    const from = "2026-10-24T12:00:00Z";
    expect(next("30 2 * * *", from, 2)).toEqual(["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    expect(next("30 2,14 * * *", "2026-10-24T20:00:00Z", 2)).toEqual(["2026-10-25T00:30Z", "2026-10-25T13:30Z"]);
    expect(next("*/30 * * * *", "2026-10-25T00:00:00Z", 4)).toEqual([
      "2026-10-25T00:30Z",
      "2026-10-25T01:00Z",
      "2026-10-25T01:30Z",
      "2026-10-25T02:00Z",
    ]);
  });

  it.each(["2026-03-28T23:00:00Z", "2026-10-24T22:00:00Z"])(
    "are all different and ascending in the night from %s",
    (from) => {
      for (const cron of ["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "*/20 2 * * *"]) {
        const night = next(cron, from, 30);
        expect(night).toEqual([...new Set(night)].sort());
      }
    },
  );

  it("within a span are counted, up to a limit, and the last of them is found either way", () => {
    const minutes = times("* * * * *", "UTC");
    const [from, until] = [Date.parse("2026-01-01T00:00:00Z"), Date.parse("2026-01-01T01:00:00Z")];
    expect(minutes.within(from, until, 1000)).toEqual({ count: 60, last: until });
    expect(minutes.within(from, until - 1, 1000)).toEqual({ count: 59, last: until - 60_000 });
    expect(minutes.within(from, until, 10)).toEqual({ count: 10, last: until });
    expect(minutes.within(from, until - 1, 10)).toEqual({ count: 10, last: until - 60_000 });
    expect(minutes.within(until, until, 10)).toEqual({ count: 0, last: undefined });
  });
});

describe("what is no schedule", () => {
  it.each([
    ["* * * * * *", "five fields"],
    ["* * * *", "five fields"],
    ["@daily", "five fields"],
    ["2026-01-01T00:00:00", "five fields"],
    ["61 * * * *", "minute"],
    ["x * * * *", "no cron expression"],
    ["0 0 30 2 *", "no day ever"],
  ])("is refused at %j, which the message explains", (cron, part) => {
    expect(fault(cron)).toMatchObject({ field: "cron", message: expect.stringContaining(part) });
  });

  it.each(["Mars/Olympus", "+02:00", "Europe/Berlin; drop table", " "])("is refused in the zone %j", (zone) => {
    expect(fault("0 6 * * *", zone)?.field).toBe("time_zone");
  });
});
