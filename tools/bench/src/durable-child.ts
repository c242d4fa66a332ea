// Measures one durable engine, in a process of its own: prints one line of JSON.
import { parseArgs } from "node:util";
import { DAGS } from "./dags.ts";
import type { DurableSubject } from "./durable/subject.ts";
import { median } from "./machine.ts";

/** What one subject did. */
export interface DurableFigure {
  readonly name: string;
  /** With all runs at once, median of the rounds. */
  readonly tasksPerSecond: number;
  /** One run after the other, in milliseconds. */
  readonly lone: { p50: number; p95: number };
  /** Processor time of this process per task, in microseconds. */
  readonly cpuUs: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    lone: { type: "string", default: "100" },
  },
});
const dag = DAGS.find(({ concurrent }) => concurrent > 1);
if (!dag) throw new Error("no DAG is run many times at once");
const { default: subject } = (await import(`./durable/${positionals[0]}.ts`)) as { default: DurableSubject };
const runner = await subject.prepare(dag, values.database);

async function round(): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: dag?.concurrent ?? 0 }, () => runner.run()));
  return performance.now() - start;
}

const tasks = dag.tasks.length * dag.concurrent;
// The first round compiles, here and in the database.
await round();
const cpu = process.cpuUsage();
const walls: number[] = [];
for (let i = 0; i < Number(values.rounds); i++) walls.push(await round());
const { user, system } = process.cpuUsage(cpu);
const lone: number[] = [];
for (let i = 0; i < Number(values.lone); i++) {
  const start = performance.now();
  await runner.run();
  lone.push(performance.now() - start);
}
await runner.close();
const figure: DurableFigure = {
  name: subject.name,
  tasksPerSecond: (tasks * 1000) / median(walls),
  lone: { p50: median(lone), p95: lone.sort((a, b) => a - b)[Math.floor(lone.length * 0.95)] ?? Number.NaN },
  cpuUs: (user + system) / (tasks * walls.length),
};
console.log(JSON.stringify(figure));
