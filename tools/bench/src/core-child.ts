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

/** A DAG made ready, and what its rounds took. */
interface Series {
  readonly dag: Dag;
  readonly run: Runner;
  readonly repeats: number;
  readonly walls: number[];
  readonly cpus: number[];
}

async function begin(subject: Subject, dag: Dag): Promise<Series> {
  const run = await subject.prepare(dag, () => ran++);
  const perRun = dag.tasks.length * dag.concurrent;
  const repeats = subject.slow ? 1 : Math.max(1, Math.ceil(MIN_TASKS_PER_ROUND / perRun));
  return { dag, run, repeats, walls: [], cpus: [] };
}

async function round({ dag, run, repeats, walls, cpus }: Series): Promise<void> {
  const tasks = repeats * dag.tasks.length * dag.concurrent;
  const cpu = process.threadCpuUsage();
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await together(run, dag);
  walls.push(((performance.now() - start) * 1000) / tasks);
  const { user, system } = process.threadCpuUsage(cpu);
  cpus.push((user + system) / tasks);
}

/** Rounds of all DAGs by turns, so that whatever else the machine does meets each of them alike. */
async function measure(series: readonly Series[], budgetMs: number, minRounds: number): Promise<void> {
  const began = performance.now();
  for (let i = 0; i < minRounds || performance.now() - began < budgetMs; i++) {
    for (const one of series) await round(one);
  }
}

function figureOf(subject: Subject, { dag, walls, cpus }: Series): CoreFigure {
  const { name } = subject;
  return {
    name,
    dag: dag.name,
    median: median(walls),
    fastest: Math.min(...walls),
    cpu: median(cpus),
    rounds: walls.length,
  };
}

let rounds = 0;
let ran = 0;

async function together(run: Runner, { name, tasks, concurrent }: Dag): Promise<void> {
  ran = 0;
  if (concurrent === 1) await run(rounds++);
  else await Promise.all(Array.from({ length: concurrent }, () => run(rounds++)));
  const expected = concurrent * tasks.length;
  if (ran !== expected) throw new Error(`${name}: ${ran} of ${expected} tasks ran`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: "boolean", default: false },
    budget: { type: "string", default: "4000" },
    rounds: { type: "string", default: "3" },
  },
});
const { default: subject } = (await import(`./subjects/${positionals[0]}.ts`)) as { default: Subject };
const dags = values.sizes ? SIZES : DAGS;
const series = await Promise.all(dags.map((dag) => begin(subject, dag)));
// The first rounds compile.
await measure(series, subject.slow ? 0 : Number(values.budget) / 2, 1);
for (const one of series) one.walls.length = one.cpus.length = 0;
await measure(series, Number(values.budget), Number(values.rounds));
for (const one of series) console.log(JSON.stringify(figureOf(subject, one)));
await subject.close?.();
