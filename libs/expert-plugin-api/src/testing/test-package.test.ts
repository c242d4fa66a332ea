import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serveExpert } from "../serve.ts";
import { rowCounter } from "./example-expert.ts";
import { printOutcomes } from "./print-outcomes.ts";
import { SamplesError } from "./samples.ts";
import { listenTestHost } from "./test-host.ts";
import { type CaseOutcome, NoExpertError, type PackageTest, testPackage } from "./test-package.ts";

const MODULES = resolve(import.meta.dirname, "../../../../node_modules");
const COST = resolve(import.meta.dirname, "../../../../plugins/expert-cost");

function folderOf(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), "odg-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const samples = [
  {
    action: "count_rows",
    input: { dataset: "mem://t.parquet" },
    tables: { "mem://t.parquet": { columns: { a: { type: "BIGINT", values: [1, null, 3] } } } },
  },
];
const manifest = {
  name: "a",
  version: "1.0.0",
  type: "module",
  main: "index.js",
  odg: { role: "expert", protocol: 1 },
};

async function outcomes(subject: PackageTest): Promise<CaseOutcome[]> {
  const all: CaseOutcome[] = [];
  for await (const one of testPackage(subject)) all.push(one);
  return all;
}

test.each(["module", "process"] as const)(
  "a package is tested by its folder, as %s",
  { timeout: 60_000 },
  async (placement) => {
    const all = await outcomes({ subject: COST, placement });
    expect(all.filter(({ complaint }) => complaint !== undefined)).toEqual([]);
    expect(all.length).toBeGreaterThan(60);
  },
);

test("a served expert is tested at its address, with the host where it was told to find it", {
  timeout: 60_000,
}, async () => {
  const spare = await listenTestHost();
  await spare.close();
  const hostPort = Number(new URL(spare.url).port);
  const server = await serveExpert(rowCounter, { host: spare.url, token: "secret", threads: 1 });
  onTestFinished(() => server.close());
  const file = join(folderOf({ "samples.json": samples }), "samples.json");
  const all = await outcomes({ subject: server.url, samples: file, token: "secret", hostPort });
  expect(all.filter(({ complaint }) => complaint !== undefined)).toEqual([]);
});

test("a package and an expert of different versions are told apart", async () => {
  const code = `import { action, defineExpert } from "${MODULES}/@odg/expert-plugin-api/src/index.ts";
import * as z from "${MODULES}/zod/index.js";
export default defineExpert({ name: "OtherExpert", version: "2.0.0", actions: { count_rows: action({
  capability: "counting", input: z.object({}), output: z.object({}), execute: async () => ({}) }) } });`;
  const all = await outcomes({
    subject: folderOf({ "package.json": manifest, "index.js": code, "odg.samples.json": samples }),
  });
  expect(all[0]?.complaint).toBe("package.json says 1.0.0, Describe 2.0.0");
});

test.each([
  ["no package.json", { "odg.samples.json": samples }, NoExpertError, /cannot be read/],
  [
    "a package of another role",
    { "package.json": { ...manifest, odg: { role: "console", protocol: 1 } }, "odg.samples.json": samples },
    NoExpertError,
    /role/,
  ],
  [
    "an entry that is not there",
    { "package.json": manifest, "odg.samples.json": samples },
    NoExpertError,
    /lead to no file/,
  ],
  [
    "a module without an expert",
    { "package.json": manifest, "index.js": "export default 1;", "odg.samples.json": samples },
    NoExpertError,
    /default export/,
  ],
  ["no samples", { "package.json": manifest }, SamplesError, /odg.samples.json cannot be read/],
  ["samples that are no JSON", { "odg.samples.json": "[" }, SamplesError, /is not JSON/],
  [
    "a sample with a field that nobody knows",
    { "odg.samples.json": [{ action: "a", input: {}, dataset: 1 }] },
    SamplesError,
    /dataset/,
  ],
])("%s is said", async (_, files, kind, complaint) => {
  const testing = outcomes({ subject: folderOf(files) });
  await expect(testing).rejects.toThrow(kind);
  await expect(testing).rejects.toThrow(complaint);
});

test("each case is a line, and a failed one gives exit code 6", async () => {
  async function* some(): AsyncGenerator<CaseOutcome> {
    yield { name: "one", took: 3.4 };
    yield { name: "two", took: 1, complaint: "it does not hold" };
  }
  const lines: string[] = [];
  expect(await printOutcomes(some(), (line) => lines.push(line))).toBe(6);
  expect(lines.slice(0, 2)).toEqual(["ok    one (3 ms)", "FAIL  two\n      it does not hold"]);
  expect(lines[2]).toMatch(/^1 passed, 1 failed, 0\.\d s$/);
});
