import { JournalConflict } from "./store.ts";

interface Waiting<T> {
  item: T;
  resolve(): void;
  reject(error: unknown): void;
}

/** Items of one commit, at most: bounds the time that one transaction takes. */
const BATCH = 500;

/**
 * Commits what arrives while a commit is under way with the next one. Where a batch conflicts, its items are committed
 * one by one, so that one run's conflict fails no other run.
 */
export class GroupCommit<T> {
  #commit: (items: T[]) => Promise<void>;
  #queue: Waiting<T>[] = [];
  #running: Promise<void> | undefined;

  constructor(commit: (items: T[]) => Promise<void>) {
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
    while (this.#queue.length > 0) await this.#commitBatch(this.#queue.splice(0, BATCH));
    this.#running = undefined;
  }

  async #commitBatch(batch: Waiting<T>[]): Promise<void> {
    try {
      await this.#commit(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (error instanceof JournalConflict && batch.length > 1) {
        for (const one of batch) await this.#commitBatch([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }
}
