import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { armFailpoints } from "./failpoint.ts";

const MODULE = new URL("./failpoint.ts", import.meta.url).href;

/** What becomes of a process that passes a place five times. */
async function passages(setting: string): Promise<{ passed: number; signal: string | null }> {
  const script = `import { armFailpoints, failpoint } from ${JSON.stringify(MODULE)};
armFailpoints(${JSON.stringify(setting)});
for (let i = 0; i < 5; i++) { failpoint("journal.afterAppend"); require("node:fs").writeSync(1, "."); }`;
  const args = [
    "--conditions=@odg/source",
    "--input-type=module",
    "-e",
    `import { createRequire } from "node:module"; const require = createRequire(import.meta.url); ${script}`,
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  const [, signal] = await once(child, "close");
  return { passed: out.length, signal };
}

test.each([
  ["", { passed: 5, signal: null }],
  ["journal.beforeAppend=exit", { passed: 5, signal: null }],
  ["journal.afterAppend=exit", { passed: 0, signal: "SIGKILL" }],
  ["journal.beforeAppend=exit@2, journal.afterAppend=exit@3", { passed: 2, signal: "SIGKILL" }],
])("failpoints %j end the process as a crash does", async (setting, outcome) => {
  expect(await passages(setting)).toEqual(outcome);
});

test("what is no failpoint is refused, and so is any in production", () => {
  expect(() => armFailpoints("journal.never=exit")).toThrow(/there is no failpoint "journal.never=exit"/);
  const failpoints = { ODG_FAILPOINTS: "journal.afterAppend=exit" };
  expect(readConfig(failpoints).engine.failpoints).toBe("journal.afterAppend=exit");
  expect(() => readConfig({ ...failpoints, NODE_ENV: "production" })).toThrow(/ODG_FAILPOINTS/);
});
