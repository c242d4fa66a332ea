import { FairQueue, type Place, type WeightOf } from "./fair-queue.ts";

/** What a limit is counted for. */
export interface Limited {
  place: Place;
  limit?: { key: string; atOnce: number } | undefined;
}

interface Key<T extends object> {
  inside: Set<T>;
  waiting: FairQueue<T>;
  /** How many name which limit, of those inside or waiting. */
  limits: Map<number, number>;
}

/** Limits that attempts share by name, across runs and workflows. Where they name different limits the smallest counts. */
export class KeyLimits<T extends Limited> {
  #keys = new Map<string, Key<T>>();
  #weightOf: WeightOf;

  constructor(weightOf: WeightOf) {
    this.#weightOf = weightOf;
  }

  /** Lets it in, or has it wait; true where it is in. What has no limit always is. */
  enter(one: T): boolean {
    if (!one.limit) return true;
    const key = this.#reach(one.limit.key);
    key.limits.set(one.limit.atOnce, (key.limits.get(one.limit.atOnce) ?? 0) + 1);
    key.waiting.push(one, one.place);
    return this.#admit(key).includes(one);
  }

  /** Lets go of it, whether it was in or waited; answers what is in because of that. */
  leave(one: T): T[] {
    const key = one.limit && this.#keys.get(one.limit.key);
    if (!one.limit || !key || !(key.inside.delete(one) || key.waiting.remove(one))) return [];
    const left = (key.limits.get(one.limit.atOnce) ?? 1) - 1;
    if (left > 0) key.limits.set(one.limit.atOnce, left);
    else key.limits.delete(one.limit.atOnce);
    if (key.limits.size === 0) this.#keys.delete(one.limit.key);
    return this.#admit(key);
  }

  #admit({ inside, waiting, limits }: Key<T>): T[] {
    const admitted: T[] = [];
    const most = Math.min(...limits.keys());
    while (inside.size < most) {
      const next = waiting.take();
      if (!next) break;
      inside.add(next);
      admitted.push(next);
    }
    return admitted;
  }

  #reach(name: string): Key<T> {
    const known = this.#keys.get(name);
    if (known) return known;
    const key = { inside: new Set<T>(), waiting: new FairQueue<T>(this.#weightOf), limits: new Map<number, number>() };
    this.#keys.set(name, key);
    return key;
  }
}
