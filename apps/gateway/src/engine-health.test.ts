import { createRouterTransport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@odg/proto/grpc/health/v1/health_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { expect, it, vi } from "vitest";
import { watchEngineHealth } from "./engine-health.ts";

type Answer = Status | "late" | "away";

/** Looks at an engine that answers so, the last answer for ever; tells every change. */
async function changesOf(answers: Answer[]): Promise<boolean[]> {
  const changes: boolean[] = [];
  let asked = 0;
  const check = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer === "late") return new Promise<never>(() => undefined);
    if (answer === "away") throw reject(Reason.UNAVAILABLE);
    return { status: answer };
  };
  const transport = createRouterTransport((router) => router.service(Health, { check }));
  const health = watchEngineHealth(transport, (serving) => changes.push(serving), { everyMs: 1, answerMs: 200 });
  await vi.waitFor(() => expect(asked).toBeGreaterThan(answers.length + 1), { timeout: 10_000 });
  health.stop();
  return changes;
}

const { SERVING, NOT_SERVING } = Status;

it("tells each change once", async () => {
  expect(await changesOf([SERVING, SERVING, NOT_SERVING, NOT_SERVING, SERVING])).toEqual([true, false, true]);
});

it("takes an engine that is away at its word at once", async () => {
  expect(await changesOf(["away", SERVING, "away", SERVING])).toEqual([false, true, false, true]);
});

it("bears with an engine that is late twice, and not with one that stays late", async () => {
  expect(await changesOf([SERVING, "late", "late", SERVING])).toEqual([true]);
  expect(await changesOf([SERVING, "late", "late", "late", SERVING])).toEqual([true, false, true]);
});

it("does not take an engine for well that has never answered", async () => {
  expect(await changesOf(["late", SERVING])).toEqual([false, true]);
});
