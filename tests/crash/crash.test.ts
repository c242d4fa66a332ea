// F1: engines are killed at random points; nothing is lost, and nothing is settled twice. `npm run test:crash` kills more.
import { describe, expect, test } from "vitest";
import { serviceUrl } from "../../tools/services/endpoints.ts";
import { percentile } from "./inspection.ts";
import { storm } from "./storm.ts";

const server = serviceUrl("postgres") ?? "";
const SEED = 4;

describe.skipIf(server === "")("an engine that is killed again and again", () => {
  test("loses no run and settles no task twice in 50 kills, and goes on within seconds", {
    timeout: 300_000,
  }, async () => {
    const said: string[] = [];
    const report = await storm({
      server,
      kills: 50,
      seed: SEED,
      engines: 1,
      runs: 20,
      lifeMs: 600,
      placement: "module",
      tell: (line) => void said.push(line),
    });
    expect(report.faults, said.join("\n")).toEqual([]);
    expect(report.kills).toBe(50);
    expect(report.recoveries.length).toBeGreaterThan(100);
    expect(report.effects.keys).toBe(report.tasks);
    expect(percentile(report.recoveries, 0.5)).toBeLessThan(10_000);
  });
});
