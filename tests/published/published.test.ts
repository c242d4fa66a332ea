import { execFile } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { blocksOf } from "../docs/blocks.ts";

/** What a stranger gets: tarballs, an empty folder outside of the workspace, plain Node, no conditions. */
const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");
const INSTALL = ["i", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
const PLUGINS = ["expert-cost", "expert-compliance"];

let folder: string;
let packs: string;
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  NODE_OPTIONS: "",
  NO_COLOR: "1",
};
const tarball = (name: string): string => {
  const [path] = globSync(`${name}-[0-9]*.tgz`, { cwd: packs });
  if (!path) throw new Error(`no tarball of ${name}`);
  return join(packs, path);
};
const stranger = (command: string, args: string[], cwd: string) =>
  run(command, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "odg-published-"));
  packs = join(folder, "packs");
  const wanted = ["expert-plugin-api", "create-odg-expert", ...PLUGINS];
  await stranger(process.execPath, ["tools/pack/main.ts", "--into", packs, ...wanted], ROOT);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a tarball holds what runs, and nothing of the workspace", async () => {
  for (const name of ["odg-expert-plugin-api", "odg-expert-cost", "create-odg-expert"]) {
    const { stdout } = await stranger("tar", ["tzf", tarball(name)], folder);
    const files = stdout.trim().split("\n");
    expect(files).toContain("package/README.md");
    expect(
      files.filter((file) => /\.map$|\.tsbuildinfo$|(?<!\.d)\.ts$|\.test\./.test(file) && !file.includes("/template/")),
    ).toEqual([]);
  }
});

describe("installed in an empty folder", () => {
  let project: string;
  beforeAll(async () => {
    project = join(folder, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
    const tarballs = ["odg-expert-plugin-api", ...PLUGINS.map((name) => `odg-${name}`)].map(tarball);
    // Whoever checks types on Node has Node's.
    await stranger("npm", [...INSTALL, ...tarballs, `@types/node@${manifest.devDependencies["@types/node"]}`], project);
  }, 180_000);

  test("no import leads to a package that is not published", () => {
    const scope = join(project, "node_modules/@odg");
    expect(globSync("*", { cwd: scope }).sort()).toEqual(["expert-compliance", "expert-cost", "expert-plugin-api"]);
    for (const file of globSync("**/*.{js,d.ts}", { cwd: scope })) {
      const text = readFileSync(join(scope, file), "utf8");
      expect(text.match(/(?:from|import)\s*\(?\s*["']@odg\/(?:proto|rpc)/g), file).toBeNull();
    }
  });

  test.each(PLUGINS)("@odg/%s passes the conformance kit there, on plain Node", { timeout: 120_000 }, async (name) => {
    const samples = join(project, "node_modules/@odg", name);
    const args = ["odg-expert", "test", samples, "--placement", "process"];
    const { stdout } = await stranger("npx", args, project);
    expect(stdout).toMatch(/^\d+ passed, 0 failed/m);
  });

  test("its types hold under a strict compiler", { timeout: 120_000 }, async () => {
    const source = `import { action, defineExpert, type Dataset } from "@odg/expert-plugin-api";
import { conformanceCases, memoryHost, runAction, type ActionOutcome } from "@odg/expert-plugin-api/testing";
import type { WorkerFunction } from "@odg/expert-plugin-api/worker";
import { serveExpert } from "@odg/expert-plugin-api/serve";
import * as z from "zod";
const expert = defineExpert({ name: "TypedExpert", version: "1.0.0", actions: { look: action({
  capability: "looking", input: z.object({ dataset: z.string() }), output: z.object({ rows: z.number() }),
  async execute({ dataset }, ctx) {
    const data: Dataset = await ctx.datasets.open(dataset);
    const rows: bigint = (await data.profile()).rowCount;
    return { rows: Number(rows) };
  } }) } });
const outcome: ActionOutcome = await runAction(expert, "look", { dataset: "a" });
// @ts-expect-error the rows are a number
const wrong: string = outcome.findings[0]?.confidence;
const work: WorkerFunction<{ a: string }, number> = ({ a }) => a.length;
console.log(conformanceCases(expert, []).length, memoryHost, serveExpert, work, wrong);
`;
    writeFileSync(join(project, "typed.ts"), source);
    const options = {
      strict: true,
      noEmit: true,
      module: "nodenext",
      target: "es2024",
      lib: ["es2024", "dom"],
      types: ["node"],
    };
    const config = { compilerOptions: { ...options, skipLibCheck: false }, files: ["typed.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await stranger(join(ROOT, "node_modules/.bin/tsc"), ["-p", project], project).catch((e) => e);
    expect(stdout).toBe("");
  });

  test("an engine loads it by its folder and runs a workflow", { timeout: 120_000 }, async () => {
    writeFileSync(join(project, "sales.csv"), "id,amount\n1,10\n2,20\n");
    const workflow = {
      workflow_id: "cost_only",
      tasks: [{ id: "cost", expert: "CostExpert", action: "estimate_storage_cost", inputs: {} }],
    };
    writeFileSync(join(project, "cost.json"), JSON.stringify(workflow));
    const experts = join(project, "node_modules/@odg/expert-cost");
    const { stdout } = await run(
      join(ROOT, "node_modules/.bin/odg"),
      ["run", join(project, "cost.json"), "--input", `dataset=${join(project, "sales.csv")}`],
      {
        cwd: project,
        env: { ...env, ODG_EXPERTS: experts, ODG_OWN_FOLDERS: project, ODG_STORE_DIR: join(project, ".odg") },
      },
    );
    expect(stdout).toContain("SUCCEEDED  cost_only");
    expect(stdout).toMatch(/cost {2}Storage \$[\d.]+\/month/);
  });
});

test("a scaffolded expert is green at once", { timeout: 180_000 }, async () => {
  const made = join(folder, "late-rows");
  const create = ["exec", "--yes", "--prefer-offline", `--package=${tarball("create-odg-expert")}`, "--"];
  const args = [...create, "create-odg-expert", "late-rows", "--api", tarball("odg-expert-plugin-api")];
  await stranger("npm", args, folder);
  await stranger("npm", INSTALL, made);
  const { stdout } = await stranger("npm", ["test"], made);
  expect(stdout).toMatch(/^\d+ passed, 0 failed/m);
});

test("the words of the guide lead to a green expert in two minutes", { timeout: 180_000 }, async () => {
  const [shown] = blocksOf("docs/guides/write-an-expert.md", "sh");
  const text = shown?.text ?? "";
  expect(text).toContain("../late-rows");
  const made = join(folder, "by-the-guide/late-rows");
  const began = performance.now();
  const script = `set -e\n${text.replaceAll("../late-rows", made)}`;
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const { stdout } = await run("bash", ["-c", script], { cwd: ROOT, env: { ...env, PATH: path } });
  expect(stdout).toMatch(/^\d+ passed, 0 failed/m);
  expect(performance.now() - began).toBeLessThan(120_000);
});
