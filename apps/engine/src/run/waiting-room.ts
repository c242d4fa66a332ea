import type { ExpertInstance, RegisteredExpert } from "../expert/registry.ts";
import { type Need, type Route, route } from "../expert/router.ts";
import { FairQueue, type WeightOf } from "./fair-queue.ts";
import type { Job } from "./job.ts";
import { KeyLimits } from "./key-limits.ts";

/** An expert that was found for a job. */
export interface Chosen {
  expert: RegisteredExpert;
  instance: ExpertInstance;
  action: string;
}

/** What a waiting room works with. */
export interface WaitingRoomOptions {
  experts(): readonly RegisteredExpert[];
  weightOf: WeightOf;
  /** An expert is free for the job, or it needs none. */
  begin(job: Job, chosen: Chosen | undefined): void;
  /** No expert will do. */
  refuse(job: Job, why: Route & { kind: "none" }): void;
}

/**
 * Where jobs wait, first for the limit that they share, then for a free expert. What wants the same expert stands in one fair line, in
 * whichever run or workflow it is.
 */
export class WaitingRoom {
  #options: WaitingRoomOptions;
  #limits: KeyLimits<Job>;
  #lines = new Map<string, FairQueue<Job>>();
  /** Lines whose first may have found somebody. */
  #changed = new Set<string>();
  #placing = false;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
    this.#limits = new KeyLimits(options.weightOf);
  }

  /** Takes a job; it begins at once where nothing is before it. */
  add(job: Job): void {
    if (this.#limits.enter(job)) this.#admit([job]);
  }

  /** Forgets a job that waits or has ended. */
  leave(job: Job): void {
    const key = job.need ? lineOf(job.need) : "";
    const line = this.#lines.get(key);
    if (line?.remove(job) && line.size === 0) this.#lines.delete(key);
    this.#admit(this.#limits.leave(job));
  }

  #admit(jobs: readonly Job[]): void {
    const lines = new Set<string>();
    for (const job of jobs) {
      const line = job.need && this.#queue(job, job.need);
      if (line !== undefined) lines.add(line);
      else if (!job.need) this.#options.begin(job, undefined);
    }
    if (lines.size > 0) this.#place(lines);
  }

  clear(): void {
    this.#lines.clear();
    this.#limits = new KeyLimits(this.#options.weightOf);
  }

  /** Gives free experts to who stands first in the lines. */
  placeAll(): void {
    this.#place(this.#lines.keys());
  }

  #place(keys: Iterable<string>): void {
    for (const key of keys) this.#changed.add(key);
    // Beginning a job may add or free others, from inside of this loop.
    if (this.#placing) return;
    this.#placing = true;
    for (const key of this.#changed) {
      this.#changed.delete(key);
      this.#placeLine(key);
    }
    this.#placing = false;
  }

  #placeLine(key: string): void {
    for (let line = this.#lines.get(key); line; line = this.#lines.get(key)) {
      const job = line.peek();
      const found = job?.need && route(job.need, this.#options.experts());
      if (found?.kind === "busy") return;
      line.take();
      if (line.size === 0) this.#lines.delete(key);
      if (!job || !found) return;
      if (found.kind === "none") this.#options.refuse(job, found);
      else this.#options.begin(job, found);
    }
  }

  /** Answers the line where it stands first: behind another it has nobody either, until somebody is free. */
  #queue(job: Job, need: Need): string | undefined {
    const key = lineOf(need);
    const line = this.#lines.get(key) ?? new FairQueue<Job>(this.#options.weightOf);
    this.#lines.set(key, line);
    line.push(job, job.place);
    return line.peek() === job ? key : undefined;
  }
}

/** Whoever names an expert waits for that one, whatever it is to do; the others wait for anybody who can. */
function lineOf({ expert, action, version }: Need): string {
  return expert ? `${expert}@${version}` : `/${action}@${version}`;
}
