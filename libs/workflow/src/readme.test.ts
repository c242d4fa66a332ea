import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!);

test.each(blocks.map((code, i) => [i + 1, code] as const))("block %i of the README runs", async (_, code) => {
  const node = ["--conditions=@odg/source", "--input-type=module-typescript", "--eval", code];
  const { stdout } = await promisify(execFile)(process.execPath, node, {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
  });
  if (code.includes("shema"))
    expect(stdout).toBe(`undefined\n[ 'tasks[1].depends_on[0]: Did you mean "schema"?' ]\n[]\n`);
});
