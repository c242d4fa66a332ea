// What an engine costs per task when the tasks do nothing: ours beside its peers, on the same DAGs, in the same run of this command.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
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
    rounds: { type: "string", default: "3" },
    subjects: { type: "string", default: "bare,odg,p-graph,mastra,langgraph" },
  },
});
const node = ["--conditions=@odg/source"];
const child = fileURLToPath(new URL("./core-child.ts", import.meta.url));

function figuresOf(subject: string, more: string[] = []): CoreFigure[] {
  const args = [...node, child, subject, "--budget", values.budget, "--rounds", values.rounds, ...more];
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
if ((loadavg()[0] ?? 0) > availableParallelism() / 2) {
  console.log("The machine is busy with other work: only the processor time says anything.");
}
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
  console.log(rowOf(figures));
}
const ours = table.get(OURS);
if (ours) {
  for (const [subject, figures] of table) if (subject !== OURS) console.log(ratiosOf(figures, ours));
  const sizes = figuresOf(OURS, ["--sizes"]);
  console.log(`\nthe same chain at growing sizes`);
  console.log(row(["", ...SIZES.map(({ name }) => name)]));
  console.log(rowOf(sizes));
  console.log(`\n${verdict("by the clock", { ours, sizes }, ({ median }) => median)}`);
  console.log(verdict("in the fastest round", { ours, sizes }, ({ fastest }) => fastest));
  console.log(verdict("by processor time", { ours, sizes }, ({ cpu }) => cpu));
}

function rowOf(figures: readonly CoreFigure[]): string {
  return row([figures[0]?.name ?? "", ...figures.map(({ median, cpu }) => `${micros(median)} (${micros(cpu)})`)]);
}

/** Of processor time, which other work on the machine does not stretch. */
function ratiosOf(figures: readonly CoreFigure[], to: readonly CoreFigure[]): string {
  const ratios = figures.map(({ cpu }, i) => `${(cpu / (to[i]?.cpu ?? Number.NaN)).toFixed(1)} ×`);
  return row([`${figures[0]?.name} : ours`, ...ratios]);
}

function verdict(
  name: string,
  { ours, sizes }: { ours: readonly CoreFigure[]; sizes: readonly CoreFigure[] },
  of: (figure: CoreFigure) => number,
): string {
  const worst = Math.max(...[...ours, ...sizes].map(of));
  const [least, most] = [Math.min(...sizes.map(of)), Math.max(...sizes.map(of))];
  const spread = ((most - least) / (most + least)) * 100;
  return `${name}: worst ${micros(worst)} µs (goal ${GOAL_US}) · from size to size ± ${spread.toFixed(0)} % (goal ± ${GOAL_SPREAD * 100} %)`;
}
