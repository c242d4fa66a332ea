import { create } from "@bufbuild/protobuf";
import type { ContextEntry, ContextWrite } from "@odg/proto/odg/expert/v1/expert_pb";
import { ContextEntrySchema } from "@odg/proto/odg/expert/v1/expert_pb";

/** Who wrote, and with which event. */
export interface Provenance {
  /** Id of the task. */
  taskId: string;
  /** `SchemaExpert@1.0.0`. */
  expert: string;
  /** Sequence number of the TaskCompleted that committed the writes. */
  seq: bigint;
}

/** What the experts of one run share: the newest version of each key. */
export class RunContext {
  #entries = new Map<string, ContextEntry>();

  /** The newest version of a key. */
  get(key: string): ContextEntry | undefined {
    return this.#entries.get(key);
  }

  /** The newest version of every key, ordered by key. */
  entries(): ContextEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The first write whose `expected_version` is not the stored one (0: no such key): the attempt must fail, to be tried again. */
  conflict(writes: readonly ContextWrite[]): ContextWrite | undefined {
    return writes.find(
      ({ key, expectedVersion }) =>
        expectedVersion !== undefined && expectedVersion !== (this.#entries.get(key)?.version ?? 0n),
    );
  }

  /** Commits the writes of a completed task, in their order. Versions count from 1. */
  commit(writes: readonly ContextWrite[], { taskId, expert, seq }: Provenance): void {
    for (const { key, value } of writes) {
      const version = (this.#entries.get(key)?.version ?? 0n) + 1n;
      this.#entries.set(key, create(ContextEntrySchema, { key, value, version, taskId, expert, seq }));
    }
  }
}
