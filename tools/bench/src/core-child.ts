// Measures one subject, in a process of its own: prints one line of JSON per DAG.
import { parseArgs } from "node:util";
import { DAGS, type Dag, SIZES } from "./dags.ts";
import { median } from "./machine.ts";
import type { Runner, Subject } from "./subjects/subject.ts";

/** What one subject takes for one DAG. Times are microseconds per task. */
export interface CoreFigure {
  /** The subject, as people call it. */
  readonly name: string;
  readonly dag: string;
  readonly median: number;
  readonly fastest: number;
  /** Processor time of the one thread that drives, which other load on the machine does not stretch. */
  readonly cpu: number;
  readonly rounds: number;
}

/** Processor time is counted in steps of a few milliseconds. */
const MIN_TASKS_PER_ROUND = 20_000;
const MIN_ROUNDS = 3;
const WARM_MS = 300;

async function measure(subject: Subject, dag: Dag, budgetMs: number): Promise<Omit<CoreFigure, "name">> {
  const run = await subject.prepare(dag, () => ran++);
  const repeats = subject.slow ? 1 : Math.max(1, Math.ceil(MIN_TASKS_PER_ROUND / (dag.tasks.length * dag.concurrent)));
  const tasks = repeats * dag.tasks.length * dag.concurrent;
  const walls: number[] = [];
  const cpus: number[] = [];
  const began = performance.now();
  let warm = false;
  while (cpus.length < MIN_ROUNDS || performance.now() - began < budgetMs) {
    const cpu = process.threadCpuUsage();
    const start = performance.now();
    for (let i = 0; i < repeats; i++) await together(run, dag);
    const wall = performance.now() - start;
    const { user, system } = process.threadCpuUsage(cpu);
    // The first rounds compile; what takes longer than a whole warm-up has compiled within its first.
    if (!warm) warm = performance.now() - began > WARM_MS;
    else {
      walls.push((wall * 1000) / tasks);
      cpus.push((user + system) / tasks);
    }
  }
  return { dag: dag.name, median: median(walls), fastest: Math.min(...walls), cpu: median(cpus), rounds: walls.length };
}

let rounds = 0;
let ran = 0;

async function together(run: Runner, { name, tasks, concurrent }: Dag): Promise<void> {
  ran = 0;
  await Promise.all(Array.from({ length: concurrent }, () => run(rounds++)));
  const expected = concurrent * tasks.length;
  if (ran !== expected) throw new Error(`${name}: ${ran} of ${expected} tasks ran`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sizes: { type: "boolean", default: false }, budget: { type: "string", default: "1000" } },
});
const { default: subject } = (await import(`./subjects/${positionals[0]}.ts`)) as { default: Subject };
for (const dag of values.sizes ? SIZES : DAGS) {
  console.log(JSON.stringify({ name: subject.name, ...(await measure(subject, dag, Number(values.budget))) }));
}
