import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { boundaryFaults } from "./check-boundaries.ts";

const exporting = { ".": "./src/index.ts" };

const MANIFESTS: Record<string, object> = {
  ".": { name: "root", workspaces: ["libs/*", "apps/*", "plugins/*"], devDependencies: { vitest: "1", pg: "1" } },
  "libs/proto": { name: "@odg/proto", exports: { "./*": "./gen/*.js" } },
  "libs/workflow": { name: "@odg/workflow", exports: exporting, dependencies: { "@odg/proto": "1" } },
  "libs/rpc": { name: "@odg/rpc", exports: exporting, dependencies: { "@connectrpc/connect": "1" } },
  "libs/client": {
    name: "@odg/client",
    exports: exporting,
    dependencies: { "@odg/rpc": "1", "@connectrpc/connect": "1" },
  },
  "libs/expert-plugin-api": {
    name: "@odg/expert-plugin-api",
    exports: { ...exporting, "./testing": "./src/testing.ts" },
  },
  "apps/engine": { name: "@odg/engine", exports: exporting, dependencies: { "@odg/workflow": "1" } },
  "apps/cli": { name: "@odg/cli", dependencies: { "@odg/engine": "1" } },
  "plugins/expert-schema": {
    name: "@odg/expert-schema",
    exports: exporting,
    peerDependencies: { "@odg/expert-plugin-api": "1", zod: "4" },
  },
};

/** The faults of a small workspace with these source files. */
async function faultsOf(files: Record<string, string>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "odg-boundaries-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const manifests = Object.entries(MANIFESTS).map(([folder, json]) => [
    join(folder, "package.json"),
    JSON.stringify(json),
  ]);
  for (const [path = "", text = ""] of [...manifests, ...Object.entries(files)]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return boundaryFaults(root);
}

describe("who may import whom", () => {
  it("accepts what the design allows", async () => {
    const files = {
      "libs/workflow/src/plan.ts": 'import { a } from "@odg/proto/odg/run/v1/run_pb";\nimport { b } from "./issue.ts";',
      "apps/cli/src/run.ts": 'import { createEngine } from "@odg/engine";\nimport { readFileSync } from "node:fs";',
      "plugins/expert-schema/src/index.ts": 'import { z } from "zod";\nexport * from "@odg/expert-plugin-api";',
      "plugins/expert-schema/src/index.test.ts":
        'import { it } from "vitest";\nimport { conform } from "@odg/expert-plugin-api/testing";',
    };
    expect(await faultsOf(files)).toEqual([]);
  });

  it.each([
    ["a static import", 'import { plan } from "@odg/workflow";'],
    ["a type import", 'import type { Plan } from "@odg/workflow";'],
    ["a re-export", 'export { plan } from "@odg/workflow";'],
    ["a dynamic import", 'const load = () => import("@odg/workflow");'],
    ["a type query", 'type Plan = import("@odg/workflow").Plan;'],
    ["an import for its effects", 'import "@odg/workflow";'],
  ])("finds %s", async (_name, source) => {
    expect(await faultsOf({ "plugins/expert-schema/src/index.ts": `\n${source}\n` })).toEqual([
      "plugins/expert-schema/src/index.ts:2: @odg/expert-schema may not import @odg/workflow; of ours it may import @odg/expert-plugin-api",
    ]);
  });

  it("does not take text and comments for imports", async () => {
    const source = '// import "@odg/workflow"\nconst text = `import "@odg/workflow"`;';
    expect(await faultsOf({ "libs/rpc/src/a.ts": source })).toEqual([]);
  });

  it("lets nobody import an expert, not even by a literal import()", async () => {
    const [fault] = await faultsOf({ "apps/engine/src/a.ts": 'await import("@odg/expert-schema");' });
    expect(fault).toContain("an expert is loaded at run time by its package name");
  });

  it("lets nobody but the CLI import the engine", async () => {
    const [fault] = await faultsOf({ "libs/client/src/a.ts": 'import { createEngine } from "@odg/engine";' });
    expect(fault).toContain("@odg/client may not import @odg/engine; move what both need into a lib");
  });

  it("refuses a relative path into another package, but lets tests ask where the servers are", async () => {
    const faults = await faultsOf({
      "apps/engine/src/a.ts": 'import "../../../libs/workflow/src/plan.ts";',
      "apps/engine/src/a.test.ts": 'import "../../../tools/services/endpoints.ts";',
      "apps/engine/src/b.ts": 'import "../../../tools/services/endpoints.ts";',
    });
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("apps/engine/src/a.ts:1:");
    expect(faults[1]).toContain("apps/engine/src/b.ts:1:");
  });

  it("refuses a subpath that a package does not export", async () => {
    const [fault] = await faultsOf({ "apps/engine/src/a.ts": 'import "@odg/workflow/src/plan.ts";' });
    expect(fault).toContain('@odg/workflow does not export "@odg/workflow/src/plan.ts"');
  });

  it("refuses a package that is not declared, and a root devDependency outside tests", async () => {
    const faults = await faultsOf({
      "apps/engine/src/a.ts": 'import "left-pad/x";\nimport "pg";',
      "apps/engine/src/a.test.ts": 'import "pg";',
    });
    expect(faults).toEqual([
      "apps/engine/src/a.ts:1: left-pad is not a dependency of @odg/engine; declare it in apps/engine/package.json",
      "apps/engine/src/a.ts:2: pg is not a dependency of @odg/engine; declare it in apps/engine/package.json",
    ]);
  });

  it("names a file that does not parse", async () => {
    const [fault] = await faultsOf({ "libs/rpc/src/a.ts": "\nconst = 1;" });
    expect(fault).toMatch(/^libs\/rpc\/src\/a\.ts:2: /);
  });
});

describe("which file may do what", () => {
  it.each([
    ["process.env", "process.env.HOME"],
    ["a computed member", 'process["env"]'],
    ["destructuring", "const { env } = process"],
    ["a named import", 'import { env } from "node:process"'],
  ])("finds the environment read by %s", async (_name, source) => {
    const [fault] = await faultsOf({ "apps/engine/src/a.ts": source });
    expect(fault).toContain("a.ts:1: reads process.env; take the value as an option");
  });

  it("lets an app's config.ts and tests read the environment", async () => {
    const source = "export const home = process.env.HOME;";
    expect(await faultsOf({ "apps/cli/src/config.ts": source, "libs/rpc/src/a.test.ts": source })).toEqual([]);
  });

  it("finds connections outside the adapters", async () => {
    const source = 'import { createServer } from "node:http";\nawait fetch("http://example.com");';
    const faults = await faultsOf({ "apps/engine/src/run/a.ts": source, "apps/engine/src/model/a.ts": source });
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("run/a.ts:1: opens a network connection of its own");
    expect(faults[1]).toContain("run/a.ts:2: ");
  });

  it("finds a ConnectError that is built outside libs/rpc, also under another name", async () => {
    const source = 'import { ConnectError as E } from "@connectrpc/connect";\nthrow new E("no");';
    const faults = await faultsOf({ "libs/client/src/a.ts": source, "libs/rpc/src/a.ts": source });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain("libs/client/src/a.ts:2: builds a ConnectError");
  });

  it("keeps the core pure", async () => {
    const source = 'import "node:fs";\nDate.now();\nnew Date();\nMath.random();\nnew Date(0);';
    const faults = await faultsOf({ "libs/workflow/src/a.ts": source, "apps/engine/src/a.ts": source });
    expect(faults.map((fault) => fault.split(";")[0])).toEqual([
      "libs/workflow/src/a.ts:1: is a module of Node in the pure core",
      "libs/workflow/src/a.ts:2: reads the clock in the pure core",
      "libs/workflow/src/a.ts:3: reads the clock in the pure core",
      "libs/workflow/src/a.ts:4: is random in the pure core",
    ]);
  });
});
