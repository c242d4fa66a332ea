// F5 and F6: a Postgres that goes away, and one that is slow.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@odg/proto/grpc/health/v1/health_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { connectTransport } from "@odg/rpc";
import { describe, expect, test } from "vitest";
import { SERVICE_VARIABLES } from "../../tools/services/endpoints.ts";
import { crash, postgres, restart } from "../../tools/services/postgres.ts";
import { TestDatabase } from "../crash/database.ts";
import { afterwards, refusal, sceneOf, server, source, task } from "./scene-of.ts";
import { SlowProxy } from "./slow-proxy.ts";

/** A Postgres that only this test uses, since it will not stay as it is. */
async function ownServer(): Promise<{ folder: string; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), "odg-own-postgres-"));
  const env = await postgres.start(folder);
  afterwards(async () => {
    await postgres.stop(folder, env);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, url: env[SERVICE_VARIABLES.postgres] ?? "" };
}

describe.skipIf(server === "")("a Postgres that is killed and comes back", () => {
  test("costs no run: calls are refused as UNAVAILABLE meanwhile, and everything goes on", async () => {
    const own = await ownServer();
    const scene = await sceneOf({ store: await TestDatabase.create(own.url) });
    const { client } = await scene.engine();
    await scene.load.start(client, 15);
    await sleep(300);
    await crash(own.folder);
    const late = { source: source(task("late", "effect")) };
    const refused = await refusal(client.runs.startRun(late, { timeoutMs: 10_000 }));
    expect(refused).toMatchObject({ code: "Unavailable", reason: "UNAVAILABLE" });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    await restart(own.folder);
    await scene.settled();
    await scene.load.start(client, 3);
    await scene.settled();
    const { faults, runs } = await scene.inspect();
    expect(faults).toEqual([]);
    expect(runs).toBe(18);
  });
});

/** Longer than the second after which a renewal of the lease shows that something is wrong. */
const SLOW_MS = process.env.ODG_FAULTS === "full" ? 2_000 : 1_200;

describe.skipIf(server === "")("a Postgres that takes seconds for each statement", () => {
  test("makes the engine unready and not dead; deadlines hold, connections stay few, and runs end", async () => {
    const proxy = await SlowProxy.to(server);
    afterwards(() => proxy.close());
    const scene = await sceneOf({ through: (url) => proxy.through(url) });
    const engine = await scene.engine();
    const transport = connectTransport(engine.url);
    afterwards(() => transport.close());
    const health = createClient(Health, transport);
    const status = async () => (await health.check({}, { timeoutMs: 1_000 })).status;
    expect(await status()).toBe(Status.SERVING);

    proxy.delayMs = SLOW_MS;
    await expect.poll(status, { timeout: 40_000 }).toBe(Status.NOT_SERVING);
    const began = performance.now();
    const refused = await Promise.all(
      Array.from({ length: 40 }, () => refusal(engine.client.runs.listRuns({}, { timeoutMs: 500 }))),
    );
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["DeadlineExceeded"]));
    expect(proxy.most).toBeLessThan(20);

    const run = await engine.client.runAndWait({ source: source(task("slow", "effect")) });
    expect(run.status).toBe(RunStatus.SUCCEEDED);
    proxy.delayMs = 0;
    await expect.poll(status, { timeout: 40_000 }).toBe(Status.SERVING);
    expect((await scene.inspect()).faults).toEqual([]);
  });
});
