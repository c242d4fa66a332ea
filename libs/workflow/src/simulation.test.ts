import { expect, test } from "vitest";
import { Simulation } from "./testing/simulate.ts";

const SEEDS = 1_000;

// SEED=42 runs that one alone.
const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

test("a thousand runs under crashes, takeovers, duplicates, pauses and jumps of the clock keep what must be true", () => {
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [only];
  const faults: Record<string, number> = {};
  const wrong = seeds.flatMap((seed) => {
    const simulation = new Simulation(seed);
    const found = simulation.run().map((message) => `SEED=${seed}: ${message}`);
    for (const [kind, count] of Object.entries(simulation.faults)) faults[kind] = (faults[kind] ?? 0) + count;
    return found;
  });
  expect(wrong).toEqual([]);
  if (only === undefined) expect(Object.entries(faults).filter(([, count]) => count < SEEDS / 10)).toEqual([]);
}, 60_000);
