import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** The trigger rules, by the names that workflows use; the place of a name is the rule's number. */
export const TRIGGER_RULES: readonly string[] = ["all_success", "all_done", "one_success", "none_failed"];

const ALL_SUCCESS = 0;
const ONE_SUCCESS = 2;
const NONE_FAILED = 3;

/** How a task ended: well. */
export const WELL = 0;
/** It was skipped, and no failure is to blame. */
export const SKIPPED = 1;
/** It failed, or was skipped because of a failure before it. */
export const TAINTED = 2;

/** What follows for a task from the end of one predecessor: it waits on. */
export const WAIT = 0;
/** It is ready. */
export const READY = 1;
/** It will never run. */
export const SKIP = 2;

/** What the tasks of a run still wait for, and what the end of each predecessor means to them by their trigger rules. */
export class Frontier {
  /** Predecessors that have not ended; plain numbers, since for ten tasks making a typed array would take as long as the run. */
  #waitsFor: number[];
  /** The number of each task's rule; undefined where all have the default, so that plain workflows pay nothing. */
  #rules: Uint8Array | undefined;
  /** Tasks that a failure before them reaches, one way or another. */
  #tainted: Set<number> | undefined;

  constructor(waitsFor: number[], tasks: readonly Task[]) {
    this.#waitsFor = waitsFor;
    this.#rules = rulesOf(tasks);
  }

  /** Whether a task waits for none. */
  isFree(task: number): boolean {
    return this.#waitsFor[task] === 0;
  }

  /** A predecessor of the task has ended: what follows, should the task still wait. */
  arrive(task: number, end: number): number {
    const left = --this.#waitsFor[task]!;
    if (this.#rules === undefined) return end !== WELL ? SKIP : left === 0 ? READY : WAIT;
    if (end === TAINTED) {
      this.#tainted ??= new Set();
      this.#tainted.add(task);
    }
    return decide(this.#rules[task]!, end, left);
  }

  /** How a task that is skipped because of its predecessors has ended. */
  endOfSkipped(task: number): number {
    return this.#tainted?.has(task) ? TAINTED : SKIPPED;
  }

  /** For a snapshot. */
  state(): { waitsFor: number[]; tainted: number[] } {
    return { waitsFor: this.#waitsFor.slice(), tainted: [...(this.#tainted ?? [])] };
  }

  /** Puts back what a snapshot holds. */
  restore({ waitsFor, tainted }: { waitsFor: readonly number[]; tainted: readonly number[] }): void {
    this.#waitsFor = waitsFor.slice();
    this.#tainted = tainted.length > 0 ? new Set(tainted) : undefined;
  }
}

function rulesOf(tasks: readonly Task[]): Uint8Array | undefined {
  if (tasks.every(({ triggerRule }) => triggerRule === "" || triggerRule === "all_success")) return undefined;
  return Uint8Array.from(tasks, ({ triggerRule }) => Math.max(ALL_SUCCESS, TRIGGER_RULES.indexOf(triggerRule)));
}

function decide(rule: number, end: number, left: number): number {
  if (rule === ONE_SUCCESS) return end === WELL ? READY : left === 0 ? SKIP : WAIT;
  if (rule === ALL_SUCCESS && end !== WELL) return SKIP;
  if (rule === NONE_FAILED && end === TAINTED) return SKIP;
  return left === 0 ? READY : WAIT;
}
