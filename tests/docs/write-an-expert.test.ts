import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf, folderOfTest, fromRoot, namedFiles, ROOT, runHere } from "./blocks.ts";

const GUIDE = "docs/guides/write-an-expert.md";
const PLUGIN = "plugins/expert-duplicates";

const vitestConfig = `import base from ${JSON.stringify(join(ROOT, "vitest.config.ts"))};
export default { ...base, test: { ...base.test, include: ["src/**/*.test.ts"], globalSetup: [] } };`;
const tsconfig = JSON.stringify({
  extends: "../../tsconfig.tests.json",
  compilerOptions: { incremental: false, tsBuildInfoFile: null, rootDir: "../.." },
  include: ["src/**/*.ts"],
});

test("the expert of the guide passes its types, its tests and the conformance kit", { timeout: 120_000 }, async () => {
  const folder = folderOfTest({
    ...namedFiles(GUIDE),
    "vitest.config.ts": vitestConfig,
    "tsconfig.json": tsconfig,
  });
  const types = await runHere("tsc", ["-p", folder, "--noEmit"]);
  expect(types.stdout).toBe("");
  const tests = await runHere("vitest", ["run", "--root", folder]);
  expect(`${tests.stdout}${tests.stderr}`).toMatch(/Tests {2}\d+ passed/);
  expect(tests.code).toBe(0);
});

test("the run of the guide finds the repeated rows", { timeout: 120_000 }, async () => {
  const folder = folderOfTest(namedFiles(GUIDE));
  const shown = blocksOf(GUIDE, "sh").at(-1)?.text ?? "";
  expect(shown).toContain("odg run");
  const script = `set -e\n${shown.replaceAll(/^npx /gm, "").replaceAll(PLUGIN, fromRoot(folder))}`;
  const { code, stdout, stderr } = await runHere("bash", ["-c", script], { ODG_STORE_DIR: join(folder, ".odg") });
  expect(stderr).toContain("keys: done");
  expect(stdout).toContain("DuplicateExpert@1.0.0");
  expect(stdout).toContain("id: 2 of 4 rows repeated");
  expect(code).toBe(0);
});
