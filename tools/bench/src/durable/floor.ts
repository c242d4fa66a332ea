// What Postgres itself allows: the same commits by a bare loop. Each step of a run is one commit of its events (300 bytes each) and of its tasks' rows;
// commits of many runs go together, one batched statement each, two under way.

import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import type { DurableSubject } from "./subject.ts";

interface Step {
  runId: string;
  seqs: number[];
  tasks: number[];
  done(): void;
}

const LANES = 2;
const EVENT = Buffer.alloc(300, 7);
const STATEMENT = {
  name: "floor",
  text: `
with events as (
  insert into floor_events select * from unnest($1::uuid[], $2::int[], $3::bytea[])
)
insert into floor_tasks select * from unnest($4::uuid[], $5::int[], $6::smallint[])
on conflict (run_id, task) do update set status = excluded.status`,
};

/** Commits what has come while the last commit was under way. */
class Lane {
  #pool: pg.Pool;
  #steps: Step[] = [];
  #busy = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  commit(step: Omit<Step, "done">): Promise<void> {
    return new Promise((done) => {
      this.#steps.push({ ...step, done });
      if (!this.#busy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    await Promise.resolve();
    while (this.#steps.length > 0) {
      const steps = this.#steps;
      this.#steps = [];
      const events = steps.flatMap(({ runId, seqs }) => seqs.map((seq) => [runId, seq] as const));
      const tasks = steps.flatMap(({ runId, tasks }) => tasks.map((task) => [runId, task] as const));
      await this.#pool.query({
        ...STATEMENT,
        values: [
          events.map(([runId]) => runId),
          events.map(([, seq]) => seq),
          events.map(() => EVENT),
          tasks.map(([runId]) => runId),
          tasks.map(([, task]) => task),
          tasks.map(() => 3),
        ],
      });
      for (const { done } of steps) done();
    }
    this.#busy = false;
  }
}

export default {
  name: "floor: bare group commit",
  async prepare({ tasks }, databaseUrl) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: LANES });
    await pool.query(`
      create table floor_events (run_id uuid, seq int, event bytea, primary key (run_id, seq));
      create table floor_tasks (run_id uuid, task int, status smallint, primary key (run_id, task)) with (fillfactor = 60)`);
    const lanes = Array.from({ length: LANES }, () => new Lane(pool));
    const steps = stepsOf(tasks);
    let runs = 0;
    return {
      async run() {
        const lane = lanes[runs++ % LANES];
        const runId = uuidv7();
        let seq = 0;
        // As the engine does: the run's start, then begin and end of all tasks that may run, then the run's end.
        await lane?.commit({ runId, seqs: [++seq], tasks: [] });
        for (const step of steps) {
          for (const _ of ["begin", "end"]) await lane?.commit({ runId, seqs: step.map(() => ++seq), tasks: step });
        }
        await lane?.commit({ runId, seqs: [++seq], tasks: [] });
      },
      close: () => pool.end(),
    };
  },
} satisfies DurableSubject;

/** Numbers of the tasks whose predecessors have ended, step by step. */
function stepsOf(tasks: readonly { id: string; dependsOn: readonly string[] }[]): number[][] {
  const ended = new Set<string>();
  const steps: number[][] = [];
  while (ended.size < tasks.length) {
    const ready = tasks.flatMap(({ id, dependsOn }, n) =>
      !ended.has(id) && dependsOn.every((one) => ended.has(one)) ? [n] : [],
    );
    for (const n of ready) ended.add(tasks[n]?.id ?? "");
    steps.push(ready);
  }
  return steps;
}
