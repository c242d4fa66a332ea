import type { Dag } from "../dags.ts";

/** A durable engine under measurement. */
export interface DurableSubject {
  readonly name: string;
  /** Connects to a Postgres, with a database of its own, and makes ready what is made once per workflow. */
  prepare(dag: Dag, databaseUrl: string): Promise<DurableRunner>;
}

/** Runs of one DAG. */
export interface DurableRunner {
  /** One run: resolves when its end is durable. */
  run(): Promise<void>;
  close(): Promise<void>;
}
