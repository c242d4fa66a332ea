// F5 to F8: a Postgres that goes away, is slow, refuses transactions, or is full.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { OdgClient } from "@odg/client";
import { workflowOf } from "@odg/engine/testing";
import { RetryInfoSchema } from "@odg/proto/google/rpc/error_details_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { failureOf } from "@odg/rpc";
import { afterEach, describe, expect, test } from "vitest";
import { SERVICE_VARIABLES, serviceUrl } from "../../tools/services/endpoints.ts";
import { crash, postgres, restart } from "../../tools/services/postgres.ts";
import { TestDatabase } from "../crash/database.ts";
import { Scene, type SceneOptions } from "../crash/scene.ts";
import { SlowProxy } from "./slow-proxy.ts";

const server = serviceUrl("postgres") ?? "";
const after: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of after.splice(0).reverse()) await undo();
});

async function open(options: Partial<SceneOptions> = {}): Promise<Scene> {
  const scene = await Scene.open({ server, ...options });
  after.push(() => scene.close());
  return scene;
}

const effect = (id: string, inputs: object = {}) => ({ id, expert: "EffectExpert", action: "effect", inputs });
const source = (...tasks: object[]) => ({ case: "workflow" as const, value: workflowOf(tasks) });

async function refusal(call: Promise<unknown>): Promise<{ code: string; reason: string; retryAfterMs: number }> {
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

/** A Postgres that only this test uses, since it will not stay as it is. */
async function ownServer(): Promise<{ folder: string; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), "odg-own-postgres-"));
  const env = await postgres.start(folder);
  after.push(async () => {
    await postgres.stop(folder, env);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, url: env[SERVICE_VARIABLES.postgres] ?? "" };
}

describe.skipIf(server === "")("a Postgres that is killed and comes back", () => {
  test("costs no run: calls are refused as UNAVAILABLE meanwhile, and everything goes on", {
    timeout: 60_000,
  }, async () => {
    const own = await ownServer();
    const scene = await open({ store: await TestDatabase.create(own.url) });
    const { client } = await scene.engine();
    await scene.load.start(client, 15);
    await sleep(300);
    await crash(own.folder);
    const refused = await refusal(client.runs.startRun({ source: source(effect("late")) }, { timeoutMs: 10_000 }));
    expect(refused).toMatchObject({ code: "Unavailable", reason: "UNAVAILABLE" });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    await sleep(1_000);
    await restart(own.folder);
    await scene.settled();
    await scene.load.start(client, 3);
    await scene.settled();
    const { faults, runs } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(runs).toBe(18);
  });
});
