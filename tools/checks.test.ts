import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { differences } from "./check-generated.ts";
import { lockfileFaults } from "./check-lockfile.ts";
import { wordFaults } from "./check-words.ts";
import { countTests } from "./count-tests.ts";
import { mustRun, runCommand } from "./run-command.ts";
import { sourceFiles } from "./source-files.ts";

async function folderWith(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "odg-checks-"));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

describe("the check of the lockfile", () => {
  const whole = { version: "1.0.0", integrity: "sha512-x" };

  it("accepts verified packages and links of the workspace", () => {
    const packages = {
      "": { version: "0.1.0" },
      "node_modules/a": whole,
      "node_modules/@odg/b": { resolved: "libs/b", link: true },
    };
    expect(lockfileFaults({ packages })).toEqual([]);
  });

  it("refuses a download address and a package without integrity", () => {
    const packages = {
      "node_modules/a": { ...whole, resolved: "https://registry.example/a.tgz" },
      "node_modules/b": { version: "1.0.0" },
    };
    const faults = lockfileFaults({ packages });
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("node_modules/a: has a download address");
    expect(faults[1]).toContain("node_modules/b: has no integrity");
  });

  it("refuses a package whose half for another platform is not locked", () => {
    const packages = {
      "node_modules/a": {
        ...whole,
        optionalDependencies: { "a-linux": "1.0.0", "a-darwin": "1.0.0", "a-win": "1.0.0" },
      },
      "node_modules/a-linux": whole,
      "node_modules/a/node_modules/a-win": whole,
    };
    expect(lockfileFaults({ packages })).toEqual([
      "node_modules/a: a-darwin@1.0.0 is not locked; pin a version that has it",
    ]);
  });
});

describe("the check of words", () => {
  it("finds a registry's host in any file, with its line", () => {
    const host = ["registry", "npmjs", "org"].join(".");
    expect(wordFaults("README.md", `one\n${host}\n`)[0]).toMatch(/^README\.md:2: .* package registry/);
  });

  it("finds a path of one machine but not a URL path that only contains it", () => {
    const path = ["", "root", "x"].join("/");
    expect(wordFaults("a.ts", `open("${path}")`)).toHaveLength(1);
    expect(wordFaults("a.ts", `open("lake${path}")`)).toEqual([]);
  });

  it("finds notes to self and vague names in code alone", () => {
    const note = ["TO", "DO"].join("");
    expect(wordFaults("a.ts", `// ${note}: later`)).toHaveLength(1);
    expect(wordFaults("a.md", `${note}: later`)).toEqual([]);
    expect(wordFaults("a.ts", ["class Run", "Manager {}"].join(""))).toHaveLength(1);
    expect(wordFaults("string-utils.ts", "")).toHaveLength(1);
  });
});

describe("the check of generated code", () => {
  it("names what is stale, missing and left over", async () => {
    const have = await folderWith({ "a.js": "1", "b.js": "old", "gone.js": "" });
    const want = await folderWith({ "a.js": "1", "b.js": "new", "c.js": "" });
    expect(await differences(have, want)).toEqual([
      "b.js: stale",
      "c.js: missing",
      "gone.js: no .proto file makes it any more",
    ]);
  });
});

describe("the count of tests", () => {
  it("counts a file that does not load as one failure", () => {
    const testResults = [
      { status: "passed", assertionResults: [{ status: "passed" }, { status: "skipped" }] },
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "failed" }, { status: "failed" }, { status: "passed" }] },
    ];
    expect(countTests({ success: false, testResults })).toEqual({ passed: 2, failed: 3 });
  });
});

describe("the source files", () => {
  it("leave out what was installed, built or generated", async () => {
    const root = await folderWith({
      "libs/a/src/x.ts": "",
      "libs/a/dist/x.js": "",
      "node_modules/b/index.js": "",
      "libs/proto/gen/y.js": "",
      ".ci/run": "",
      ".cache/z": "",
    });
    expect(sourceFiles(root)).toEqual([".ci/run", "libs/a/src/x.ts"]);
  });
});

describe("running a command", () => {
  it("answers the exit code and both streams", async () => {
    const script = "console.log('out'); console.error('err'); process.exit(3)";
    const { code, output } = await runCommand(process.execPath, ["-e", script]);
    expect(code).toBe(3);
    expect(output).toContain("out");
    expect(output).toContain("err");
  });

  it("fails with the command's own words when it had to succeed", async () => {
    await expect(mustRun(process.execPath, ["-e", "throw new Error('broken')"])).rejects.toThrow("broken");
    await expect(mustRun("no-such-program-here", [])).rejects.toThrow("exit code 127");
  });
});
