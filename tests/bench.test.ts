import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function bench(...args: string[]) {
  const main = ["--conditions=@odg/source", "tools/bench/src/main.ts"];
  return spawnSync(process.execPath, [...main, ...args], { cwd: root, encoding: "utf8" });
}

test("the core bench runs every DAG to its end, with or without the peers installed", () => {
  const { status, stdout, stderr } = bench("core", "--subjects", "odg", "--budget", "10");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain("load");
  const rows = stdout.split("\n").filter((line) => line.startsWith("Expert Orchestrator"));
  expect(rows.map((row) => row.match(/\d+\.?\d* \(/g)?.length)).toEqual([4, 4]);
});

test("a bench that is not there is answered with those that are", () => {
  const { status, stderr } = bench("nothing");
  expect(status).toBe(2);
  expect(stderr).toContain("core | calls | dataflow | onboard");
});
