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

/** The attempt that wants to write. */
export interface Writer {
  /** Id of its task. */
  taskId: string;
  /** Sequence number of its TaskStarted. */
  since: bigint;
}

/** What the experts of one run share: the newest version of each key. */
export class RunContext {
  // Made for the first write: most runs of few tasks share nothing.
  #entries: Map<string, ContextEntry> | undefined;

  /** What a snapshot holds, or nothing. */
  constructor(entries: readonly ContextEntry[] = []) {
    if (entries.length > 0) this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
  }

  /** The newest version of a key. */
  get(key: string): ContextEntry | undefined {
    return this.#entries?.get(key);
  }

  /** The newest version of every key, ordered by key. */
  entries(): ContextEntry[] {
    return [...(this.#entries?.values() ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * The first write that another has overtaken; the attempt must fail then, to be tried again. A write that names the version it saw
   * (0: no such key) conflicts with every other; one that names none with a version that another task committed after the attempt
   * began. Items of one task overwrite each other unless they name versions.
   *
   * @param writer Left out, writes that name no version never conflict.
   */
  conflict(writes: readonly ContextWrite[], writer?: Writer): ContextWrite | undefined {
    return writes.find(({ key, expectedVersion }) => {
      const entry = this.get(key);
      if (expectedVersion !== undefined) return expectedVersion !== (entry?.version ?? 0n);
      if (writer === undefined || entry === undefined) return false;
      return entry.taskId !== writer.taskId && entry.seq > writer.since;
    });
  }

  /** Commits the writes of a completed task, in their order. Versions count from 1. */
  commit(writes: readonly ContextWrite[], { taskId, expert, seq }: Provenance): void {
    if (writes.length === 0) return;
    this.#entries ??= new Map();
    for (const { key, value } of writes) {
      const version = (this.#entries.get(key)?.version ?? 0n) + 1n;
      this.#entries.set(key, create(ContextEntrySchema, { key, value, version, taskId, expert, seq }));
    }
  }
}
