// Registering and approving experts of a running engine, as an operator does it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineServer, odg, type Running } from "./odg.ts";

const folder = mkdtempSync(join(tmpdir(), "odg-admission-"));
const root = join(folder, "guest");
let server: Running;
let engine: string;

function install(version: string, permissions: object): void {
  const odgField = { role: "expert", protocol: 1, permissions };
  const manifest = { name: "odg-expert-guest", version, type: "module", main: "index.js", odg: odgField };
  writeFileSync(join(root, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(root, "index.js"),
    `import { action, defineExpert } from "@odg/expert-plugin-api";
import * as z from "zod";
const wait = action({ capability: "waiting", input: z.object({}), output: z.object({}), execute: async () => ({}) });
export default defineExpert({ name: "GuestExpert", version: "${version}", actions: { wait } });`,
  );
}

beforeAll(async () => {
  mkdirSync(root);
  symlinkSync(resolve(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
  const env = {
    ODG_PORT: "0",
    ODG_HTTP_PORT: "0",
    ODG_HOST_PORT: "0",
    // A list of experts cannot be empty, and this one starts nothing.
    ODG_EXPERTS: "@odg/expert-cost",
    ODG_REGISTER_ALLOW: `process:${folder}/*`,
    ODG_STORE_DIR: join(folder, "store"),
  };
  server = engineServer({ cwd: folder, env });
  const [, grpc = ""] = await server.said(/"grpc":"([^"]+)"[^\n]*engine is ready/);
  engine = grpc;
}, 60_000);
afterAll(async () => {
  server.process.kill("SIGTERM");
  await server.ended;
  rmSync(folder, { recursive: true, force: true });
});

const expert = (...args: string[]) => odg(["expert", ...args, "--engine", engine], { cwd: folder }).ended;

test("an operator registers an expert, approves what its next version asks for, and sees both", {
  timeout: 120_000,
}, async () => {
  install("1.0.0", { datasets: "metadata" });
  const first = await expert("register", `process:${root}`);
  expect(first).toMatchObject({ code: 0, stdout: "GuestExpert@1.0.0 available (process)\n" });
  install("1.1.0", { datasets: "read" });
  const refused = await expert("register", `process:${root}`);
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain("EXPERT_APPROVAL_REQUIRED");
  expect((await expert("list")).stdout).toContain("odg expert approve odg-expert-guest 1.1.0");
  const approved = await expert("approve", "odg-expert-guest", "1.1.0");
  expect(approved).toMatchObject({ code: 0, stdout: "GuestExpert@1.1.0 available (process)\n" });
  expect((await expert("restart", "GuestExpert@1.1.0")).code).toBe(5);
  const denied = await expert("register", root);
  expect(denied.code).toBe(4);
  expect(denied.stderr).toContain("POLICY_DENIED");
});
