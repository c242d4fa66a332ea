import type { Clock } from "../clock.ts";

/** What a run waits for. Due times come from its events; the waiting itself is by monotonic time. */
export class RunTimers {
  #clock: Clock;
  #waits = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back at a time, in Unix milliseconds; takes the place of an earlier wait of that name. */
  set(name: string, dueMs: number, callback: () => void): void {
    this.cancel(name);
    const callOff = this.#clock.after(dueMs - this.#clock.now(), () => {
      this.#waits.delete(name);
      callback();
    });
    this.#waits.set(name, callOff);
  }

  cancel(name: string): void {
    this.#waits.get(name)?.();
    this.#waits.delete(name);
  }

  clear(): void {
    for (const callOff of this.#waits.values()) callOff();
    this.#waits.clear();
  }
}
