import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { API_RANGE, ScaffoldError, scaffoldExpert } from "./scaffold.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "odg-new-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test("a new expert has at most ten files, named after its folder", async () => {
  const root = join(folder(), "late-rows");
  const files = await scaffoldExpert(root);
  expect(files.length).toBeLessThanOrEqual(10);
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).toMatchObject({
    name: "odg-expert-late-rows",
    devDependencies: { "@odg/expert-plugin-api": API_RANGE },
  });
  expect(readFileSync(join(root, "src/index.js"), "utf8")).toContain('name: "LateRowsExpert"');
  for (const file of files) expect(readFileSync(join(root, file), "utf8")).not.toMatch(/__[a-zA-Z]+__/);
});

test("the template is made for the version of the plugin API beside it", () => {
  const manifest = new URL("../../../libs/expert-plugin-api/package.json", import.meta.url);
  expect(API_RANGE).toBe(`^${JSON.parse(readFileSync(manifest, "utf8")).version}`);
});

test("a tarball of the plugin API is named by its whole path", async () => {
  const root = join(folder(), "late");
  await scaffoldExpert(root, { api: "./api.tgz" });
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(devDependencies["@odg/expert-plugin-api"]).toBe(`file:${join(process.cwd(), "api.tgz")}`);
});

test.each(["Late", "9lives", "a--b", "a".repeat(51), "../"])("a folder %j names no expert", async (name) => {
  await expect(scaffoldExpert(join(folder(), name, name.endsWith("/") ? "X_" : ""))).rejects.toThrow(ScaffoldError);
});

test("a folder that holds something is left alone", async () => {
  const root = join(folder(), "full");
  await scaffoldExpert(root);
  writeFileSync(join(root, "README.md"), "mine");
  await expect(scaffoldExpert(root)).rejects.toThrow("is not empty");
  expect(readFileSync(join(root, "README.md"), "utf8")).toBe("mine");
});
