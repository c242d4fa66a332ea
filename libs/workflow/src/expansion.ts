import { create } from "@bufbuild/protobuf";
import type { TaskCompleted, TaskExpanded } from "@odg/proto/odg/run/v1/run_pb";
import {
  type ExpandedTask,
  ExpandedTaskSchema,
  type ItemResult,
  ItemResultSchema,
} from "@odg/proto/odg/run/v1/snapshot_pb";

/** What is known of a task's items until the task has ended: the items, and what they have answered so far. */
export class Expansion {
  /** The items. */
  readonly expanded: TaskExpanded;
  #results: ItemResult[];
  #startSeqs: bigint[];

  constructor(expanded: TaskExpanded, results: ItemResult[] = [], startSeqs: bigint[] = []) {
    this.expanded = expanded;
    this.#results = results;
    this.#startSeqs = startSeqs.length > 0 ? startSeqs : new Array<bigint>(expanded.count).fill(0n);
  }

  /** What the items answered that have ended well, in the order of the items. */
  results(): ItemResult[] {
    return this.#results.toSorted((a, b) => a.item - b.item);
  }

  /** An item ended well. */
  completed({ item, output, outputBlob }: TaskCompleted): void {
    this.#results.push(create(ItemResultSchema, { item, output, outputBlob }));
  }

  /** An attempt of an item began. */
  started(item: number, seq: bigint): void {
    this.#startSeqs[item - 1] = seq;
  }

  /** Sequence number of the TaskStarted of an item's newest attempt; 0 where none began. */
  startSeq(item: number): bigint {
    return this.#startSeqs[item - 1] ?? 0n;
  }

  /** For a snapshot. */
  state(): ExpandedTask {
    return create(ExpandedTaskSchema, {
      expanded: this.expanded,
      results: this.#results.slice(),
      startSeqs: this.#startSeqs.slice(),
    });
  }
}
