interface Waiting<T> {
  change: T;
  written: Promise<void>;
  /** Ends the wait. */
  hurry(): void;
}

/**
 * Writes changes of something that changes thousands of times a second: the first one at once, then what came meanwhile, as one, after a
 * pause. Never two writes of one key at once.
 */
export class SpacedWrites<T extends object> {
  #write: (key: string, change: T) => Promise<void>;
  #pauseMs: number;
  #waiting = new Map<string, Waiting<T>>();
  #writing = new Map<string, Promise<void>>();

  constructor(pauseMs: number, write: (key: string, change: T) => Promise<void>) {
    this.#pauseMs = pauseMs;
    this.#write = write;
  }

  /** Resolves when the change, or what took its place, is written. `urgent` ends the pause. */
  add(key: string, change: T, urgent = false): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting) Object.assign(waiting.change, change);
    const written = waiting?.written ?? this.#begin(key, change);
    if (urgent) this.#waiting.get(key)?.hurry();
    return written;
  }

  /** Ends all pauses; resolves when everything is written, or could not be. */
  async flush(): Promise<void> {
    const all = [...this.#waiting.values()];
    for (const { hurry } of all) hurry();
    await Promise.allSettled([...all.map(({ written }) => written), ...this.#writing.values()]);
  }

  #begin(key: string, change: T): Promise<void> {
    const before = this.#writing.get(key);
    if (!before) return this.#writeNow(key, change);
    let hurry = () => {};
    const pause = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#pauseMs).unref();
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    const one = { change: { ...change }, hurry, written: Promise.resolve() };
    one.written = Promise.allSettled([before, pause]).then(() => {
      this.#waiting.delete(key);
      return this.#writeNow(key, one.change);
    });
    this.#waiting.set(key, one);
    return one.written;
  }

  /** It counts as being written until a pause after it is over, so that what comes in the pause waits for its end. */
  #writeNow(key: string, change: T): Promise<void> {
    const written = this.#write(key, change);
    this.#writing.set(key, written);
    setTimeout(() => {
      if (this.#writing.get(key) === written) this.#writing.delete(key);
    }, this.#pauseMs).unref();
    return written;
  }
}
