import type { Clock } from "../clock.ts";

/** When a wait is over. */
export interface Due {
  /** In Unix milliseconds. */
  dueMs: number;
  /** The whole wait, in milliseconds: it never takes longer, whatever the wall clock was when it began. */
  atMostMs?: number | undefined;
}

/** What a run waits for. Due times come from its events; the waiting itself is by monotonic time. */
export class RunTimers {
  #clock: Clock;
  // Made for the first wait: most runs have none.
  #waits: Map<string, () => void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back when it is due; takes the place of an earlier wait of that name. */
  set(name: string, { dueMs, atMostMs = Number.POSITIVE_INFINITY }: Due, callback: () => void): void {
    this.cancel(name);
    const callOff = this.#clock.after(Math.min(dueMs - this.#clock.now(), atMostMs), () => {
      this.#waits?.delete(name);
      callback();
    });
    this.#waits ??= new Map();
    this.#waits.set(name, callOff);
  }

  cancel(name: string): void {
    this.#waits?.get(name)?.();
    this.#waits?.delete(name);
  }

  clear(): void {
    for (const callOff of this.#waits?.values() ?? []) callOff();
    this.#waits = undefined;
  }
}
