import type { Health } from "@odg/rpc";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tellReadiness } from "./readiness.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the health service hears of each change of the store's state, once, until it is stopped", () => {
  const said: string[] = [];
  const set: Health["set"] = (service, serving) => void said.push(`${service || "all"}: ${serving}`);
  let serving = true;
  const stop = tellReadiness(() => serving, { set, routes: () => undefined, shutdown: () => undefined });
  vi.advanceTimersByTime(1_000);
  expect(said).toEqual([]);
  serving = false;
  vi.advanceTimersByTime(1_000);
  expect(said.splice(0)).toEqual(["all: false", "odg.engine.v1.RunService: false"]);
  serving = true;
  vi.advanceTimersByTime(1_000);
  expect(said.splice(0)).toEqual(["all: true", "odg.engine.v1.RunService: true"]);
  stop();
  serving = false;
  vi.advanceTimersByTime(1_000);
  expect(said).toEqual([]);
});
