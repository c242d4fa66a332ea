import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, type RunStarted } from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { RunProjection } from "../projection.ts";
import { type TaskInit, workflowWith } from "./journal.ts";
import type { Random } from "./random.ts";

/** The engine died: what it had not made durable is gone. */
export class Crash extends Error {}

/** Somebody else owns the run now, or has written this place of the journal. */
export class LeaseLost extends Error {}

/**
 * The journal of one run as a database keeps it: bytes by place, a fence that grows with every owner, a snapshot now and then. What it
 * does to a batch is atomic; whether its writer learns of that is another matter.
 */
export class DurableJournal {
  readonly rows: Uint8Array[] = [];
  #snapshot: { seq: number; bytes: Uint8Array } | undefined;
  #fence = 0;

  /** A new owner. */
  claim(): number {
    return ++this.#fence;
  }

  append(events: readonly Event[], fence: number): void {
    if (fence !== this.#fence) throw new LeaseLost("the fence has moved on");
    if (Number(events[0]!.seq) !== this.rows.length + 1) throw new LeaseLost("that place is taken");
    for (const event of events) this.rows.push(toBinary(EventSchema, event));
  }

  keep(projection: RunProjection, fence: number): void {
    if (fence !== this.#fence) throw new LeaseLost("the fence has moved on");
    this.#snapshot = { seq: this.rows.length, bytes: toBinary(RunSnapshotSchema, projection.snapshot()) };
  }

  events(): Event[] {
    return this.rows.map((bytes) => fromBinary(EventSchema, bytes));
  }

  /** The run as a new engine takes it up: from the snapshot and what came after it, or from the first event. */
  takeUp(useSnapshot: boolean): RunProjection {
    const started = fromBinary(EventSchema, this.rows[0]!).kind.value as RunStarted;
    const kept = useSnapshot ? this.#snapshot : undefined;
    const restored = kept && RunProjection.restore(started, fromBinary(RunSnapshotSchema, kept.bytes));
    const projection = restored ?? new RunProjection();
    for (const bytes of this.rows.slice(restored ? kept.seq : 0)) projection.apply(fromBinary(EventSchema, bytes));
    return projection;
  }
}

/** The world that the experts act on: it survives every engine. An effect happens once for each idempotency key. */
export class Effects {
  /** What each key's effect came to. */
  readonly results = new Map<string, number>();
  calls = 0;

  perform(key: string): number {
    this.calls++;
    const known = this.results.get(key);
    if (known !== undefined) return known;
    const result = this.results.size + 1;
    this.results.set(key, result);
    return result;
  }
}

/** A workflow of up to ten tasks with everything that may be in one, and chance enough for its runs to get far. */
export function randomWorkflow(random: Random): Workflow {
  const count = 1 + random.below(10);
  const tasks = Array.from({ length: count }, (_, v): TaskInit => {
    const before = Array.from({ length: random.below(3) }, () => random.below(v)).filter((u) => u < v);
    const kind = random.below(10);
    const approval = { approvers: [], deadline: { seconds: 600n }, escalateTo: random.chance(0.5) ? ["boss"] : [] };
    return {
      id: `t${v}`,
      dependsOn: [...new Set(before)].map((u) => `t${u}`),
      triggerRule: random.pick(["", "", "", "all_done", "one_success", "none_failed"]),
      retry: { maxAttempts: 4, initialInterval: { seconds: 5n } },
      ...(kind === 0 || kind === 1 ? { approval } : {}),
      ...(kind === 1 ? { action: "" } : {}),
      ...(kind === 2 || kind === 3 ? { forEach: { items: "[1]", maxConcurrency: 1 + random.below(3) } } : {}),
    };
  });
  const timeout = random.chance(0.3) ? { timeout: { seconds: BigInt(60 + random.below(1200)) } } : {};
  return workflowWith(tasks, { onFailure: random.pick(["", "", "fail_fast"]), ...timeout });
}

/** The key under which every attempt of a task, or of an item, has its effect. */
export function effectKey({ id }: Task, item: number): string {
  return item > 0 ? `run-1/${id}[${item}]/1` : `run-1/${id}/1`;
}

/** An event with its place. */
export function stamped(kind: Event["kind"], seq: number, timeMs: number): Event {
  const time = { seconds: BigInt(Math.floor(timeMs / 1000)), nanos: Math.floor(timeMs % 1000) * 1_000_000 };
  return create(EventSchema, { runId: "run-1", seq: BigInt(seq), time, kind });
}
