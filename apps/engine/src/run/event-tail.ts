import type { Event } from "@odg/proto/odg/run/v1/run_pb";

/** Durable events that are kept at hand, at most; older ones are read from the journal. */
const LENGTH = 1000;

/** The newest durable events of a run, so that who follows it closely needs no journal, and memory stays bounded. */
export class EventTail {
  #events: Event[] = [];
  #firstSeq = 1n;

  /** Begins behind this place: what is before it is in the journal only. */
  beginAfter(seq: bigint): void {
    this.#events = [];
    this.#firstSeq = seq + 1n;
  }

  /** Sequence number of the newest durable event. */
  get lastSeq(): bigint {
    return this.#firstSeq + BigInt(this.#events.length) - 1n;
  }

  push(event: Event): void {
    this.#events.push(event);
    // Cut in halves: one copy for many events.
    if (this.#events.length < 2 * LENGTH) return;
    this.#events = this.#events.slice(-LENGTH);
    this.#firstSeq = this.#events[0]!.seq;
  }

  /** Events after a place, in order; undefined where some of them are not at hand any more. */
  after(seq: bigint): readonly Event[] | undefined {
    if (seq + 1n < this.#firstSeq) return undefined;
    return this.#events.slice(Number(seq + 1n - this.#firstSeq));
  }
}
