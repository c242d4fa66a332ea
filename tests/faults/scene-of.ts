// What the tests of faults on a real Postgres begin with, and how they tidy up.
import { Code, ConnectError } from "@connectrpc/connect";
import { workflowOf } from "@odg/engine/testing";
import { RetryInfoSchema } from "@odg/proto/google/rpc/error_details_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { failureOf } from "@odg/rpc";
import { afterEach, vi } from "vitest";
import { serviceUrl } from "../../tools/services/endpoints.ts";
import { Scene, type SceneOptions } from "../crash/scene.ts";

/** The Postgres of the tests; empty where there is none. */
export const server = serviceUrl("postgres") ?? "";

// Engines start in seconds, and on a busy machine in many.
vi.setConfig({ testTimeout: 120_000 });

const undoing: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undoing.splice(0).reverse()) await undo();
});

/** Has this done when the test is over, before what was asked for earlier. */
export function afterwards(undo: () => unknown): void {
  undoing.push(undo);
}

/** A scene that ends with its test. */
export async function sceneOf(options: Partial<SceneOptions> = {}): Promise<Scene> {
  const scene = await Scene.open({ server, ...options });
  afterwards(() => scene.close());
  return scene;
}

/** A task of effect-expert. */
export function task(id: string, action: "effect" | "idle", more: object = {}): object {
  return { id, expert: "EffectExpert", action, ...more };
}

/** What StartRun is asked to run. */
export function source(...tasks: object[]) {
  return { case: "workflow" as const, value: workflowOf(tasks) };
}

/** How a call was refused. @throws Error where it was not. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; reason: string; retryAfterMs: number }> {
  try {
    await call;
  } catch (error) {
    const answer = ConnectError.from(error);
    const delay = answer.findDetails(RetryInfoSchema)[0]?.retryDelay;
    const retryAfterMs = delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : 0;
    return { code: Code[answer.code] ?? "", reason: Reason[failureOf(answer).reason] ?? "", retryAfterMs };
  }
  throw new Error("the call was not refused");
}
