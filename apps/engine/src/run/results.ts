import { create, toJson } from "@bufbuild/protobuf";
import { NullValue, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ContextWrite } from "@odg/proto/odg/expert/v1/expert_pb";
import type { Finding } from "@odg/proto/odg/expert/v1/finding_pb";
import {
  type Event,
  type TaskCompleted,
  TaskCompletedSchema,
  type TaskExpanded,
  TaskFailedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import type { CompleteTaskCommand, DispatchCommand, ReuseCommand } from "@odg/workflow";
import type { Journal } from "../store/store.ts";
import type { ActiveRun, EventKind } from "./active-run.ts";
import { type ItemScope, keptValue, type Materials } from "./inputs.ts";
import { eventsOf } from "./load-run.ts";

/** Items that were kept beside the journal, as long as their task is at work. */
const unpacked = new WeakMap<TaskExpanded, readonly Value[]>();

/** The item that a dispatch is for; nothing where its list is missing, or its task has ended. */
export function itemOf(run: ActiveRun, { task, item }: DispatchCommand, materials: Materials): ItemScope | undefined {
  const expanded = run.projection.expansion(task)?.expanded;
  const values = expanded && itemsOf(expanded, materials);
  const value = values?.[item - 1];
  return value && { item: toJson(ValueSchema, value), index: item - 1 };
}

function itemsOf(expanded: TaskExpanded, materials: Materials): readonly Value[] | undefined {
  const known = expanded.items?.values ?? unpacked.get(expanded);
  if (known || !expanded.itemsBlob) return known;
  const kept = keptValue(expanded.itemsBlob, materials)?.kind;
  if (kept?.case !== "listValue") return undefined;
  unpacked.set(expanded, kept.value.values);
  return kept.value.values;
}

/** How a task ends whose items have all ended: with the list of what they answered, or with the failure of the first that failed. */
export function itemsOutcome(
  run: ActiveRun,
  { task, attempt, failed, failedItem }: CompleteTaskCommand,
  materials: Materials,
): EventKind {
  if (failed) {
    const why = run.projection.run().tasks[task]?.failure?.message;
    const failure = create(FailureSchema, {
      reason: Reason.ITEM_FAILED,
      message: `item ${failedItem} failed${why ? `: ${why}` : ""}`,
      subject: `tasks.${run.task(task).id}[${failedItem}]`,
    });
    return { case: "taskFailed", value: create(TaskFailedSchema, { task, attempt, failure }) };
  }
  const results = run.projection.expansion(task)?.results() ?? [];
  const values = results.map(
    ({ output, outputBlob }) => (outputBlob ? keptValue(outputBlob, materials) : output) ?? nothing(),
  );
  const output = create(ValueSchema, { kind: { case: "listValue", value: { values } } });
  const summary = `${values.length} ${values.length === 1 ? "item" : "items"}`;
  return { case: "taskCompleted", value: create(TaskCompletedSchema, { task, attempt, output, summary }) };
}

function nothing(): Value {
  return create(ValueSchema, { kind: { case: "nullValue", value: NullValue.NULL_VALUE } });
}

/** Results that forked runs take over, from the journals of the runs that came to them. */
export class ReusedResults {
  #journal: Journal;
  #results = new WeakMap<ActiveRun, Promise<TakenOver>>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** What to record for a task that is taken over; the first time also the profiles of the other run. @throws the store's error */
  async find(run: ActiveRun, { task, attempt }: ReuseCommand): Promise<EventKind[]> {
    const known = this.#results.get(run) ?? this.#read(run);
    this.#results.set(run, known);
    const { profiles, tasks } = await known.catch((error: unknown) => {
      this.#results.delete(run);
      throw error;
    });
    const found = tasks.get(task);
    if (!found) {
      const failure = create(FailureSchema, {
        reason: Reason.NOT_FOUND,
        message: "the run that this one was forked from holds no result of the task",
        subject: `tasks.${run.task(task).id}`,
      });
      return [{ case: "taskFailed", value: create(TaskFailedSchema, { task, attempt, failure }) }];
    }
    for (const { value: event } of profiles)
      if (event && "profile" in event && event.profile?.dataset)
        run.profiles.set(event.profile.dataset.uri, event.profile);
    const value = create(TaskCompletedSchema, { ...found, attempt });
    return [...profiles.splice(0), { case: "taskCompleted", value }];
  }

  async #read(run: ActiveRun): Promise<TakenOver> {
    const { forkedFrom, reused } = run.started;
    const wanted = new Set(reused);
    const gathered = new Map<number, Gathered>();
    const profiles: EventKind[] = [];
    for await (const event of eventsOf(this.#journal, forkedFrom)) {
      gather(event, { wanted, gathered });
      if (event.kind.case === "datasetProfiled") profiles.push(event.kind);
    }
    const tasks = new Map<number, TaskCompleted>();
    for (const [task, { completed, findings, writes }] of gathered) {
      if (!completed) continue;
      // Who was first is settled: the writes are taken over in their order.
      const contextWrites = writes.map(({ expectedVersion: _, ...write }) => write);
      const reusedFrom = completed.reusedFrom || forkedFrom;
      tasks.set(task, create(TaskCompletedSchema, { ...completed, findings, contextWrites, reusedFrom }));
    }
    return { profiles, tasks };
  }
}

interface TakenOver {
  profiles: EventKind[];
  tasks: Map<number, TaskCompleted>;
}

interface Gathered {
  completed?: TaskCompleted;
  findings: Finding[];
  writes: ContextWrite[];
}

/** What a task and its items found and shared, and how the task ended. */
function gather({ kind }: Event, { wanted, gathered }: { wanted: Set<number>; gathered: Map<number, Gathered> }): void {
  if (kind.case !== "taskCompleted" || !wanted.has(kind.value.task)) return;
  const { task, item, findings, contextWrites } = kind.value;
  const one = gathered.get(task) ?? { findings: [], writes: [] };
  gathered.set(task, one);
  one.findings.push(...findings);
  one.writes.push(...contextWrites);
  if (item === 0) one.completed = kind.value;
}
