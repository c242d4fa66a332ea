import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "@odg/rpc";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../logger.ts";
import { guestHouse, writeGuest } from "../testing/guest.ts";
import { HostGate } from "./host-service.ts";
import { findPackage } from "./package.ts";
import { PlacementFolder } from "./placement-folder.ts";
import { PATIENCE, type Patience, SupervisedProcess } from "./supervisor.ts";

/** Two crashes are too many here, and everything is quick. */
const HASTY: Patience = { ...PATIENCE, crashes: 2, backOffMs: 10, healthEveryMs: 100, drainMs: 500 };

async function supervise(patience: Patience) {
  const house = guestHouse();
  const folder = await PlacementFolder.make();
  const logger = createLogger("silent");
  const door = await startServer({ socketPath: folder.door, routes: new HostGate().routes, logger, drainMs: 100 });
  const root = writeGuest(join(house, "guest"));
  const { instance } = await SupervisedProcess.start({
    expert: findPackage(root),
    hostSocket: folder.door,
    socketPath: join(await folder.ownFolder(), "socket"),
    logger,
    changed: () => undefined,
    patience,
  });
  onTestFinished(async () => {
    await instance.close();
    await door.close();
    await folder.remove();
    rmSync(house, { recursive: true, force: true });
  });
  const healthy = () => expect.poll(() => instance.healthy, { timeout: 15_000 }).toBe(true);
  const crash = async () => {
    const { pid } = instance;
    if (pid === undefined) throw new Error("there is no process to kill");
    process.kill(pid, "SIGKILL");
    await expect.poll(() => instance.healthy, { timeout: 15_000 }).toBe(false);
  };
  const quarantined = () =>
    expect.poll(() => instance.trouble ?? "", { timeout: 15_000 }).toContain("not started again");
  return { root, instance, healthy, crash, quarantined };
}

test("a quarantined expert is tried once more after the cool-down, and one crash then is one too many", {
  timeout: 60_000,
}, async () => {
  const { instance, healthy, crash, quarantined } = await supervise({ ...HASTY, coolDownMs: 500 });
  await crash();
  await healthy();
  await crash();
  await quarantined();
  expect(instance.recovering).toBe(false);
  await healthy();
  expect(instance.trouble).toBeUndefined();
  await crash();
  await quarantined();
  await healthy();
});

test("an expert that cannot be tried stays in quarantine, until somebody brings it back", {
  timeout: 60_000,
}, async () => {
  const { root, instance, healthy, crash, quarantined } = await supervise({ ...HASTY, coolDownMs: 3_600_000 });
  expect(await instance.revive()).toBe(false);
  await crash();
  await healthy();
  await crash();
  await quarantined();
  appendFileSync(join(root, "index.js"), "process.exit(3);");
  expect(await instance.revive()).toBe(true);
  expect(instance.healthy).toBe(false);
  await quarantined();
  writeGuest(root);
  expect(await instance.revive()).toBe(true);
  expect(instance.healthy).toBe(true);
});
