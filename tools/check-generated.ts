/** Compares the checked-in generated code with what `buf generate` makes of proto/ now. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { mustRun } from "./run-command.ts";
import { sourceFiles } from "./source-files.ts";

const ROOT = resolve(import.meta.dirname, "..");
const GENERATED = "libs/proto/gen";

/** The relative paths at which two folders differ, each with what is wrong about it in the first. */
export async function differences(checkedIn: string, fresh: string): Promise<string[]> {
  const [have, want] = [new Set(sourceFiles(checkedIn)), new Set(sourceFiles(fresh))];
  const found: string[] = [];
  for (const path of [...new Set([...have, ...want])].sort()) {
    if (!have.has(path)) found.push(`${path}: missing`);
    else if (!want.has(path)) found.push(`${path}: no .proto file makes it any more`);
    else if (!(await readFile(join(checkedIn, path))).equals(await readFile(join(fresh, path)))) {
      found.push(`${path}: stale`);
    }
  }
  return found;
}

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "odg-generated-"));
  try {
    await mustRun("buf", ["generate", "--output", folder], { cwd: ROOT });
    const found = await differences(join(ROOT, GENERATED), join(folder, GENERATED));
    for (const line of found) console.error(`${GENERATED}/${line}; run \`npm run generate\` and commit the result`);
    return found.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = await main();
