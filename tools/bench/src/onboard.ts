// Onboarding a large file, beside what DuckDB alone takes to summarise it. Each in a process of its own.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
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

/** Wall time and peak resident memory of a process, as the kernel counted them. */
function measure(args: string[]): Measured {
  const start = performance.now();
  const child = spawnSync(process.execPath, [...node, ...args], { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });
  const seconds = (performance.now() - start) / 1000;
  if (child.status !== 0) throw new Error(`${args[0]} failed: ${child.stderr}`);
  const peak = /peak (\d+)/.exec(child.stderr)?.[1];
  return { seconds, megabytes: Number(peak) / 1000 };
}

const subjects = {
  "DuckDB SUMMARIZE": [fileURLToPath(new URL("./summarize.ts", import.meta.url)), file],
  onboard_dataset: [fileURLToPath(new URL("./onboard-once.ts", import.meta.url)), file],
};
console.log(machineLine());
console.log(`${values.rows} rows × 15 columns, median of ${values.rounds} runs, whole process from start to end`);
const results = Object.entries(subjects).map(([name, args]) => {
  const rounds = Array.from({ length: Number(values.rounds) }, () => measure(args));
  const seconds = median(rounds.map((one) => one.seconds));
  const megabytes = median(rounds.map((one) => one.megabytes));
  console.log(`${name.padEnd(18)} ${seconds.toFixed(2).padStart(6)} s  ${megabytes.toFixed(0).padStart(5)} MB peak`);
  return seconds;
});
console.log(`ratio ${((results[1] ?? 0) / (results[0] ?? 1)).toFixed(1)} (goal: under 12 s and 800 MB on two cores)`);
