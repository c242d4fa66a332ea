import type { JsonObject } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import type { Need } from "../expert/router.ts";
import type { ActiveRun } from "./active-run.ts";
import type { Place } from "./fair-queue.ts";

/** Names one attempt's work: a task, or one of its items. */
export interface JobName {
  task: number;
  /** From 1; 0 where the task has none. */
  item: number;
}

/** A dispatched attempt that waits, or is under way. */
export interface Job extends JobName {
  run: ActiveRun;
  attempt: number;
  /** It began before this engine took up the run: it is done again, under the same key. */
  underWay: boolean;
  /** Nothing where no expert works on it, but a run of its own. */
  need: Need | undefined;
  input: JsonObject;
  /** Outputs of the predecessors, by task id. */
  upstream: Record<string, Value>;
  /** How it stands among all that waits. */
  place: Place;
  /** A limit that it shares with attempts of other runs. */
  limit?: { key: string; atOnce: number } | undefined;
  stop: AbortController;
  /** It waits no more: it has what it waited for until that is free again. */
  working?: boolean;
  /** Id of the expert that it keeps busy. */
  occupies?: string | undefined;
  /** Calls off the timer of its wait. */
  patience?: (() => void) | undefined;
}

/** What an expert may use to do a thing once, however often it is asked: `<run>/<task>[<item>]/1`. */
export function idempotencyKey(run: ActiveRun, { task, item }: JobName): string {
  return `${run.runId}/${run.task(task).id}${item > 0 ? `[${item}]` : ""}/1`;
}

/** Why everything under way is aborted: the engine ends, and another one goes on with it. */
export const HANDED_OVER = Symbol("the engine is closing");
