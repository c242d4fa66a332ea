import { cancelled } from "./dataset-error.ts";

const RUNNING = 0;
const SHUT = 1;

/**
 * Counts the native calls of one job, in memory that its thread and the engine share. Ending a thread while DuckDB works
 * for it aborts the whole process (its answer finds no thread to go to), so the engine shuts the gate and waits until
 * nobody is inside.
 */
export class NativeGate {
  readonly #cells: Int32Array;

  constructor(buffer = NativeGate.buffer()) {
    this.#cells = new Int32Array(buffer);
  }

  /** Memory for one gate. */
  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  }

  /**
   * Makes a native call.
   * @throws DatasetError CANCELLED where the gate is shut.
   */
  async pass<T>(call: () => Promise<T>): Promise<T> {
    // Counted before the gate is looked at: whoever shuts it and then sees nobody can be sure that nobody comes.
    Atomics.add(this.#cells, RUNNING, 1);
    try {
      if (Atomics.load(this.#cells, SHUT) === 1) throw cancelled();
      return await call();
    } finally {
      Atomics.sub(this.#cells, RUNNING, 1);
    }
  }

  /** Lets no further call begin. */
  shut(): void {
    Atomics.store(this.#cells, SHUT, 1);
  }

  /** Whether no call runs. */
  get empty(): boolean {
    return Atomics.load(this.#cells, RUNNING) === 0;
  }
}
