import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const GENERATOR = resolve(import.meta.dirname, "../../../../tools/lake/generate.ts");

/** Builds the sample lake in a folder of its own; answers the folder. */
export function sampleLake(rows: number): string {
  const out = mkdtempSync(join(tmpdir(), "odg-lake-"));
  const args = ["--conditions=@odg/source", GENERATOR, "--rows", String(rows), "--out", out];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  return out;
}
