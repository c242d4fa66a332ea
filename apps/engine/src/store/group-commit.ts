/** What is committed together with others. */
export interface Groupable {
  /** Items of one key are committed in the order in which they came, and never two in one batch. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

interface Waiting<T> {
  item: T;
  resolve(): void;
  reject(error: unknown): void;
}

/** Items of one commit, at most: bounds the time that one transaction takes. */
const BATCH = 500;
/** Bytes of one commit, at most, where it has several items: bounds what a batch takes of memory. */
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Commits what arrives while a commit is under way with the next one. A commit answers what went wrong with each of its items, or
 * rejects where all of them failed.
 */
export class GroupCommit<T extends Groupable> {
  #commit: (items: readonly T[]) => Promise<readonly (Error | undefined)[]>;
  #queue: Waiting<T>[] = [];
  #running: Promise<void> | undefined;

  constructor(commit: (items: readonly T[]) => Promise<readonly (Error | undefined)[]>) {
    this.#commit = commit;
  }

  /** Resolves when the item is durable. */
  add(item: T): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#queue.push({ item, resolve, reject }));
    this.#running ??= this.#drain();
    return done;
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #drain(): Promise<void> {
    // Let everything that is ready in this turn of the event loop join the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#commitBatch(this.#take());
    this.#running = undefined;
  }

  #take(): Waiting<T>[] {
    const keys = new Set<string>();
    let bytes = 0;
    const batch: Waiting<T>[] = [];
    const rest: Waiting<T>[] = [];
    for (const waiting of this.#queue) {
      const { key, size } = waiting.item;
      const full = batch.length >= BATCH || (batch.length > 0 && bytes + size > BATCH_BYTES);
      if (full || keys.has(key)) rest.push(waiting);
      else batch.push(waiting);
      keys.add(key);
      bytes += size;
    }
    this.#queue = rest;
    return batch;
  }

  async #commitBatch(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const faults = await this.#commit(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, i) => {
        const fault = faults[i];
        if (fault) reject(fault);
        else resolve();
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
