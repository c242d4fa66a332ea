// What an engine costs per task when the tasks do nothing: ours beside its peers, on the same DAGs, in the same run of this command.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CoreFigure } from "./core-child.ts";
import { DAGS, SIZES } from "./dags.ts";
import { machineLine } from "./machine.ts";

const GOAL_US = 8;
const GOAL_SPREAD = 0.1;
const OURS = "odg";
const PEERS = new Set(["p-graph", "mastra", "langgraph"]);

const { values } = parseArgs({
  options: {
    budget: { type: "string", default: "4000" },
    subjects: { type: "string", default: "bare,odg,p-graph,mastra,langgraph" },
  },
});
const node = ["--conditions=@odg/source"];
const child = fileURLToPath(new URL("./core-child.ts", import.meta.url));

function figuresOf(subject: string, more: string[] = []): CoreFigure[] {
  const args = [...node, child, subject, "--budget", values.budget, ...more];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${subject} ended with ${status}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CoreFigure);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(16))).join("");
}

const micros = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0));

console.log(`${machineLine()}, load ${loadavg()[0]?.toFixed(1)}`);
console.log("overhead in µs per task, median of the rounds (in brackets: processor time of the driving thread)\n");
console.log(row(["", ...DAGS.map(({ name }) => name.slice(0, 15))]));
const peers = existsSync(new URL("../node_modules/p-graph", import.meta.url));
const table = new Map<string, CoreFigure[]>();
for (const subject of values.subjects.split(",")) {
  if (!peers && PEERS.has(subject)) {
    console.log(row([subject, "not installed: npm ci --prefix tools/bench"]));
    continue;
  }
  const figures = figuresOf(subject);
  table.set(subject, figures);
  const cells = figures.map(({ median, cpu }) => `${micros(median)} (${micros(cpu)})`);
  console.log(row([figures[0]?.name ?? subject, ...cells]));
}
const ours = table.get(OURS);
if (ours) {
  for (const [subject, figures] of table) {
    if (subject === OURS) continue;
    const ratios = figures.map(({ median }, i) => `${(median / (ours[i]?.median ?? Number.NaN)).toFixed(1)} ×`);
    console.log(row([`${figures[0]?.name} : ours`, ...ratios]));
  }
  const sizes = figuresOf(OURS, ["--sizes"]);
  console.log(`\nthe same chain at growing sizes`);
  console.log(row(["", ...SIZES.map(({ name }) => name)]));
  console.log(row([sizes[0]?.name ?? "", ...sizes.map(({ median, cpu }) => `${micros(median)} (${micros(cpu)})`)]));
  const all = [...ours, ...sizes].map(({ median }) => median);
  const flat = sizes.map(({ median }) => median);
  const middle = (Math.max(...flat) + Math.min(...flat)) / 2;
  const spread = (Math.max(...flat) - middle) / middle;
  console.log(
    `\nworst ${micros(Math.max(...all))} µs (goal ${GOAL_US}) · from size to size ± ${(spread * 100).toFixed(0)} % (goal ± ${GOAL_SPREAD * 100} %)`,
  );
}
