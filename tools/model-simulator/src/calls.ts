/** What arrived at the simulator. */
export interface CallCounts {
  readonly total: number;
  /** Calls whose answer is under way. */
  readonly open: number;
  /** Calls whose caller left before the answer was complete. */
  readonly abandoned: number;
  /** Calls whose request broke the vendor's published shape. */
  readonly misshapen: number;
  /** Calls in each second since the simulator started, by its number. */
  readonly perSecond: readonly number[];
}

export class Calls {
  readonly #startMs = performance.now();
  readonly #perSecond: number[] = [];
  #total = 0;
  #open = 0;
  #abandoned = 0;
  #misshapen = 0;

  begin(): void {
    const second = Math.floor((performance.now() - this.#startMs) / 1000);
    while (this.#perSecond.length <= second) this.#perSecond.push(0);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
    this.#total++;
    this.#open++;
  }

  end({ abandoned }: { readonly abandoned: boolean }): void {
    this.#open--;
    if (abandoned) this.#abandoned++;
  }

  refuse(): void {
    this.#misshapen++;
  }

  counts(): CallCounts {
    return {
      total: this.#total,
      open: this.#open,
      abandoned: this.#abandoned,
      misshapen: this.#misshapen,
      perSecond: [...this.#perSecond],
    };
  }
}
