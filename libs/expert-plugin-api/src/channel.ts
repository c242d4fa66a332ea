/** What a reader who waits is told. */
interface Reader<T> {
  resolve: (result: IteratorResult<T, undefined>) => void;
  refuse: (error: unknown) => void;
}

/** A queue between one writer and one reader: `push` never blocks, iteration waits. */
export class Channel<T> implements AsyncIterableIterator<T, undefined> {
  #items: T[] = [];
  /** Items before this place have been read. */
  #place = 0;
  #ended = false;
  #error: unknown;
  #reader: Reader<T> | undefined;

  /** Ignored after the end. */
  push(item: T): void {
    if (this.#ended) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader.resolve({ done: false, value: item });
    else this.#items.push(item);
  }

  /** Ends the iteration after what is queued; with an error, by throwing it. The first end counts. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) this.next().then(reader.resolve, reader.refuse);
  }

  /** One reader at a time. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#place < this.#items.length) return Promise.resolve({ done: false, value: this.#take() });
    if (!this.#ended) {
      return new Promise((resolve, refuse) => {
        this.#reader = { resolve, refuse };
      });
    }
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  /** The reader has gone: what comes is ignored. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    this.#items = [];
    this.#place = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): T {
    const item = this.#items[this.#place++] as T;
    if (this.#place === this.#items.length) {
      this.#items = [];
      this.#place = 0;
    }
    return item;
  }
}
