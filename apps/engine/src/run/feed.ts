import type { Ephemeral } from "@odg/proto/odg/run/v1/run_pb";

/** Ephemerals that one slow reader may have waiting; older ones are dropped. Events are never dropped: they are read from the journal. */
const CAPACITY = 1000;

/** One reader of a run: wakes when there is something new. */
export class Subscription {
  #ephemerals: Ephemeral[] = [];
  #wake: (() => void) | undefined;
  #news = false;

  /** What came since the last call. */
  takeEphemerals(): Ephemeral[] {
    const taken = this.#ephemerals;
    this.#ephemerals = [];
    return taken;
  }

  notify(ephemeral?: Ephemeral): void {
    if (ephemeral) {
      if (this.#ephemerals.length >= CAPACITY) this.#ephemerals.shift();
      this.#ephemerals.push(ephemeral);
    }
    this.#news = true;
    this.#wake?.();
  }

  /** Resolves on news, after `ms`, or when the signal is aborted; true where there is news. */
  async news(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#news && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
      this.#wake = undefined;
    }
    const news = this.#news;
    this.#news = false;
    return news;
  }
}

/** Tells the readers of one run that something happened. */
export class Feed {
  #subscriptions: Set<Subscription> | undefined;

  get watched(): boolean {
    return (this.#subscriptions?.size ?? 0) > 0;
  }

  subscribe(): Subscription {
    const subscription = new Subscription();
    this.#subscriptions ??= new Set();
    this.#subscriptions.add(subscription);
    return subscription;
  }

  unsubscribe(subscription: Subscription): void {
    this.#subscriptions?.delete(subscription);
  }

  notify(ephemeral?: Ephemeral): void {
    if (!this.#subscriptions) return;
    for (const subscription of this.#subscriptions) subscription.notify(ephemeral);
  }
}
