// F5 to F8: a Postgres that goes away, is slow, refuses transactions, or is full.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SERVICE_VARIABLES } from "../../tools/services/endpoints.ts";
import { crash, postgres, restart } from "../../tools/services/postgres.ts";
import { TestDatabase } from "../crash/database.ts";
import { afterwards, refusal, sceneOf, server, source, task } from "./scene-of.ts";

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
  test("costs no run: calls are refused as UNAVAILABLE meanwhile, and everything goes on", {
    timeout: 60_000,
  }, async () => {
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
