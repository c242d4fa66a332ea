import type { Dag } from "../dags.ts";

/** An engine under measurement. */
export interface Subject {
  readonly name: string;
  /** So slow that a round is one batch, and not as many as it takes to measure microseconds. */
  readonly slow?: boolean;
  /** Makes everything that is made once per workflow, which is not measured. Every task calls `task`, and does nothing else. */
  prepare(dag: Dag, task: () => void): Promise<Runner>;
  /** Ends what was started for it. */
  close?(): Promise<void>;
}

/** Runs the DAG once, from start to end. `round` counts the calls, so that runs can be told apart. */
export type Runner = (round: number) => Promise<void>;
