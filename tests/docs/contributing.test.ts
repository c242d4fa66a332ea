import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf, folderOfTest, runHere } from "./blocks.ts";

test("the expert in CONTRIBUTING.md passes the conformance kit and says what its last line says", async () => {
  const [block] = blocksOf("CONTRIBUTING.md", "ts");
  const code = block?.text ?? "";
  const said = /console\.log\(.*\); \/\/ (.*)/.exec(code)?.[1];
  const folder = folderOfTest({ "expert.ts": code });
  const { stdout, stderr } = await runHere(process.execPath, ["--conditions=@odg/source", join(folder, "expert.ts")]);
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe(said);
});
