/** A binary heap: the least element first, elements that compare equal in the order in which they came. */
export class Heap<T> {
  #less: (a: T, b: T) => boolean;
  #slots: { item: T; turn: number }[] = [];
  #turn = 0;

  constructor(less: (a: T, b: T) => boolean) {
    this.#less = less;
  }

  get size(): number {
    return this.#slots.length;
  }

  peek(): T | undefined {
    return this.#slots[0]?.item;
  }

  push(item: T): void {
    this.#slots.push({ item, turn: this.#turn++ });
    this.#rise(this.#slots.length - 1);
  }

  take(): T | undefined {
    const first = this.#slots[0];
    if (first) this.#removeAt(0);
    return first?.item;
  }

  /** O(n). False where it is not in here. */
  remove(item: T): boolean {
    const place = this.#slots.findIndex((slot) => slot.item === item);
    if (place < 0) return false;
    this.#removeAt(place);
    return true;
  }

  #removeAt(place: number): void {
    const last = this.#slots.pop()!;
    if (place === this.#slots.length) return;
    this.#slots[place] = last;
    this.#rise(place);
    this.#sink(place);
  }

  #rise(place: number): void {
    for (let at = place; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(place: number): void {
    for (let at = place; ; ) {
      let least = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < this.#slots.length; child++) {
        if (this.#before(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(i: number, j: number): boolean {
    const [a, b] = [this.#slots[i]!, this.#slots[j]!];
    if (this.#less(a.item, b.item)) return true;
    return !this.#less(b.item, a.item) && a.turn < b.turn;
  }

  #swap(i: number, j: number): void {
    const slot = this.#slots[i]!;
    this.#slots[i] = this.#slots[j]!;
    this.#slots[j] = slot;
  }
}
