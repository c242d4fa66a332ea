import { capacityOf, type ExpertInstance, type RegisteredExpert } from "../expert/registry.ts";
import { type Need, type Route, route } from "../expert/router.ts";
import { FairQueue, type WeightOf } from "./fair-queue.ts";
import type { Job } from "./job.ts";
import { KeyLimits } from "./key-limits.ts";

/** Places of an expert from which on one is kept free of a run that has all the others: it costs that run an eighth at most. */
const HEADROOM_FROM = 8;

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
  /** How many places of an expert each run has. */
  #occupied = new Map<string, Map<string, number>>();
  /** Lines whose first could begin, but for the place that is kept for others. */
  #withheld = new Set<string>();
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
    if (job.occupies !== undefined) this.#count(job, -1);
    job.occupies = undefined;
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
    this.#withheld.delete(key);
    for (let line = this.#lines.get(key); line; line = this.#lines.get(key)) {
      const first = line.peek();
      const found = first && this.#routeOf(first);
      if (!first || !found || found.kind === "busy") return;
      const filled = found.kind === "chosen" && this.#isLastFor(first.place.runId, found.expert);
      const job = filled ? line.takeOther(first.place.runId) : line.take();
      if (!job) {
        this.#withheld.add(key);
        return;
      }
      const decision = job === first ? found : this.#routeOf(job);
      if (decision?.kind === "busy") {
        // Another action, and another version of the expert that has it.
        line.push(job, job.place);
        this.#withheld.add(key);
        return;
      }
      if (line.size === 0) this.#lines.delete(key);
      if (decision) this.#give(job, decision);
    }
  }

  #routeOf({ need }: Job): Route | undefined {
    return need && route(need, this.#options.experts());
  }

  #give(job: Job, found: Exclude<Route, { kind: "busy" }>): void {
    if (found.kind === "none") {
      this.#options.refuse(job, found);
      return;
    }
    job.occupies = found.expert.id;
    this.#count(job, 1);
    this.#options.begin(job, found);
  }

  /** Whether that run has all of an expert but the last place, which is kept for others: a small run need not wait for it then. */
  #isLastFor(runId: string, expert: RegisteredExpert): boolean {
    const places = capacityOf(expert) * expert.instances.filter(({ healthy }) => healthy).length;
    if (places < HEADROOM_FROM) return false;
    return (this.#occupied.get(expert.id)?.get(runId) ?? 0) >= places - 1;
  }

  #count({ occupies = "", place }: Job, more: number): void {
    const runs = this.#occupied.get(occupies) ?? new Map<string, number>();
    this.#occupied.set(occupies, runs);
    const count = (runs.get(place.runId) ?? 0) + more;
    if (count > 0) runs.set(place.runId, count);
    else runs.delete(place.runId);
  }

  /** Answers the line where it stands first: behind another it has nobody either, until somebody is free. */
  #queue(job: Job, need: Need): string | undefined {
    const key = lineOf(need);
    const line = this.#lines.get(key) ?? new FairQueue<Job>(this.#options.weightOf);
    this.#lines.set(key, line);
    line.push(job, job.place);
    return line.peek() === job || this.#withheld.has(key) ? key : undefined;
  }
}

/** Whoever names an expert waits for that one, whatever it is to do; the others wait for anybody who can. */
function lineOf({ expert, action, version }: Need): string {
  return expert ? `${expert}@${version}` : `/${action}@${version}`;
}
