// Onboarding a large file, beside what DuckDB alone takes to summarise it. Each in a process of its own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machineLine, median } from "./machine.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { values } = parseArgs({
  options: { rows: { type: "string", default: "2000000" }, rounds: { type: "string", default: "3" } },
});
const lake = `${root}/.lake-${values.rows}`;
const file = `${lake}/customer_transactions.parquet`;
const node = ["--conditions=@odg/source"];

if (!existsSync(file)) {
  console.log(`generating ${values.rows} rows …`);
  const made = spawnSync(
    process.execPath,
    [...node, `${root}/tools/lake/generate.ts`, "--rows", values.rows, "--out", lake],
    { stdio: "inherit" },
  );
  if (made.status !== 0) process.exit(made.status ?? 1);
}

interface Measured {
  seconds: number;
  megabytes: number;
}

/** Wall time of a process, and its peak resident memory as the kernel counts it (VmHWM), looked up while it lives. */
async function measure(command: string, args: string[]): Promise<Measured> {
  const start = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  let kilobytes = 0;
  const look = setInterval(() => {
    kilobytes = Math.max(kilobytes, peakOf(child.pid));
  }, 20);
  const [status] = (await once(child, "close")) as [number | null];
  clearInterval(look);
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${complaint}`);
  return { seconds: (performance.now() - start) / 1000, megabytes: (kilobytes * 1024) / 1e6 };
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    // It has just ended; what was seen before stands.
    return 0;
  }
}

const summarize = fileURLToPath(new URL("./summarize.ts", import.meta.url));
const report = join(tmpdir(), `odg-bench-${process.pid}.html`);
const subjects: Record<string, { command: string; args: string[] }> = {
  "DuckDB SUMMARIZE": { command: process.execPath, args: [...node, summarize, file] },
  "odg run onboard_dataset": {
    command: join(root, "node_modules/.bin/odg"),
    args: ["run", "onboard_dataset", "--input", `dataset=${file}`, "--report", report],
  },
};
console.log(machineLine());
console.log(`${values.rows} rows × 15 columns, median of ${values.rounds} runs, whole process from start to end`);
const medians: number[] = [];
for (const [name, { command, args }] of Object.entries(subjects)) {
  const rounds: Measured[] = [];
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await measure(command, args));
  const seconds = median(rounds.map((one) => one.seconds));
  const megabytes = median(rounds.map((one) => one.megabytes));
  console.log(`${name.padEnd(24)} ${seconds.toFixed(2).padStart(6)} s  ${megabytes.toFixed(0).padStart(5)} MB peak`);
  medians.push(seconds);
}
rmSync(report, { force: true });
console.log(`ratio ${((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(1)} (goal: under 12 s and 800 MB on two cores)`);
