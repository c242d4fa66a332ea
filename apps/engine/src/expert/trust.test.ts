import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { action, defineExpert } from "@odg/expert-plugin-api";
import { serveExpert } from "@odg/expert-plugin-api/serve";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reasonOf } from "@odg/rpc";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { startEngine } from "../testing/engine-under-test.ts";

const MODULES = resolve(import.meta.dirname, "../../../../node_modules");

interface Installed {
  permissions?: object;
  version?: string;
  /** A line more in its code. */
  more?: string;
}

/** A folder to install a package in, and an engine's store that outlives the engine. */
function place() {
  const folder = mkdtempSync(join(tmpdir(), "odg-trust-"));
  const root = join(folder, "node_modules/odg-expert-guest");
  mkdirSync(root, { recursive: true });
  for (const name of ["@odg", "zod"]) symlinkSync(join(MODULES, name), join(folder, "node_modules", name));
  const store = { kind: "embedded" as const, folder: join(folder, "store") };
  /** Installs the package, starts an engine with it and stops it again; answers the error that stopped it. */
  return async (
    installed: Installed,
    allowWider: string[] = [],
    experts = [`process:${root}`],
  ): Promise<Error | undefined> => {
    install(root, installed);
    try {
      // Each start needs code of its own, and a process loads a module once.
      await (await startEngine({ experts, store, allowWider, hostListen: { host: "127.0.0.1", port: 0 } })).close();
      return undefined;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error;
    }
  };
}

function install(root: string, { permissions = {}, version = "1.0.0", more = "" }: Installed): void {
  const odg = { role: "expert", protocol: 1, permissions };
  const manifest = { name: "odg-expert-guest", version, type: "module", main: "index.js", odg };
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  const code = `import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
const wait = action({ capability: "waiting", input: z.object({}), output: z.object({}), execute: async () => ({}) });
export default defineExpert({ name: "GuestExpert", version: "${version}", actions: { wait } });
// ${more}
`;
  writeFileSync(join(root, "index.js"), code);
}

test("changed bytes under the same version are refused", { timeout: 90_000 }, async () => {
  const start = place();
  expect(await start({})).toBeUndefined();
  expect(await start({})).toBeUndefined();
  const error = await start({ more: "changed" });
  expect(reasonOf(error)).toBe(Reason.EXPERT_CHANGED);
  expect(error?.message).toContain("odg-expert-guest@1.0.0");
  expect(await start({ more: "changed", version: "1.0.1" })).toBeUndefined();
});

test("wider permissions than before are refused until an operator allows them", { timeout: 90_000 }, async () => {
  const start = place();
  expect(await start({ permissions: { datasets: "metadata" } })).toBeUndefined();
  const wider = { permissions: { datasets: "read", time_s: 900 }, version: "1.1.0" };
  const error = await start(wider);
  expect(reasonOf(error)).toBe(Reason.EXPERT_APPROVAL_REQUIRED);
  expect(error?.message).toContain("datasets, time_s");
  expect(reasonOf(await start(wider, ["another-package"]))).toBe(Reason.EXPERT_APPROVAL_REQUIRED);
  expect(await start(wider, ["odg-expert-guest"])).toBeUndefined();
  expect(await start(wider)).toBeUndefined();
  expect(await start({ permissions: { datasets: "none" }, version: "1.2.0" })).toBeUndefined();
});

test("a remote expert of the same name and version takes no grant away", { timeout: 90_000 }, async () => {
  const start = place();
  expect(await start({ permissions: { datasets: "metadata" } })).toBeUndefined();
  const wait = action({ capability: "waiting", input: z.object({}), output: z.object({}), execute: async () => ({}) });
  const twin = defineExpert({ name: "GuestExpert", version: "1.0.0", actions: { wait } });
  const server = await serveExpert(twin, { host: "http://127.0.0.1:1", threads: 1, drainMs: 100 });
  onTestFinished(() => server.close());
  expect(await start({}, [], [`remote:dns:///127.0.0.1:${new URL(server.url).port}`])).toBeUndefined();
  const error = await start({ permissions: { datasets: "read" }, version: "1.1.0" });
  expect(reasonOf(error)).toBe(Reason.EXPERT_APPROVAL_REQUIRED);
});
