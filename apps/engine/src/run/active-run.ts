import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DatasetProfile } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  type Ephemeral,
  type Event,
  type Run,
  RunCancelRequestedSchema,
  RunCompletedSchema,
  type RunStarted,
  TaskCancelledSchema,
  type TaskFailed,
  TaskFailedSchema,
  TaskRetryDueSchema,
  TaskSkippedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { type CancelTaskCommand, type Command, type DispatchCommand, RunProjection, retryDelay } from "@odg/workflow";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { type Append, type Journal, JournalConflict } from "../store/store.ts";
import { Feed } from "./feed.ts";

/** What happened, before it has a place in the journal. */
export type EventKind = Event["kind"];

/** Does the work that the machine asks for. Every dispatch ends in exactly one outcome, recorded on the run. */
export interface Performer {
  dispatch(run: ActiveRun, command: DispatchCommand): void;
  /** Stops an attempt; its outcome, should it still come, is not recorded. */
  cancel(run: ActiveRun, command: CancelTaskCommand): void;
}

interface Waiting {
  kind: EventKind;
  then?: (() => void) | undefined;
  /** What follows from it, known once it has its place; performed once it is durable. */
  commands?: readonly Command[];
}

/** What a run needs around it. */
export interface RunSurroundings {
  journal: Journal;
  performer: Performer;
  clock: Clock;
  logger: Logger;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * One run under way: the only writer of its journal. Events are appended durably, then applied, then the commands that follow are
 * performed; their outcomes are new events. With a journal that answers synchronously the whole circle is synchronous.
 */
export class ActiveRun {
  readonly runId: string;
  readonly projection = new RunProjection();
  readonly feed = new Feed();
  /** Profiles of the run's datasets by URI. */
  readonly profiles = new Map<string, DatasetProfile>();
  /** Resolves with the run as it ended; rejects where this engine lost it. */
  readonly ended: Promise<Run>;
  #resolveEnded!: (run: Run) => void;
  #rejectEnded!: (error: unknown) => void;
  #around: RunSurroundings;
  #events: Event[] = [];
  #queue: Waiting[] = [];
  #seq = 0n;
  #time: Timestamp | undefined;
  #timeMs = 0;
  #busy = false;
  #stopped = false;
  #numbers: Map<string, number> | undefined;
  #timers: Map<number, () => void> | undefined;

  constructor(runId: string, around: RunSurroundings) {
    this.runId = runId;
    this.#around = around;
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
    // Whoever cares waits for it; a run that nobody waits for must not end the process.
    this.ended.catch(() => undefined);
  }

  /** Durable events, in order. */
  get events(): readonly Event[] {
    return this.#events;
  }

  /** The first event's content. */
  get started(): RunStarted {
    const first = this.#events[0]?.kind;
    if (first?.case !== "runStarted")
      throw new Error(`the journal of run ${this.runId} does not begin with RunStarted`);
    return first.value;
  }

  get workflow(): Workflow {
    const { workflow } = this.started;
    if (!workflow) throw new Error(`the journal of run ${this.runId} holds no workflow`);
    return workflow;
  }

  task(number: number): Task {
    const task = this.workflow.tasks[number];
    if (!task) throw new Error(`run ${this.runId} has no task ${number}`);
    return task;
  }

  /** The number of a task; nothing where no task has that id. */
  numberOf(id: string): number | undefined {
    this.#numbers ??= new Map(this.workflow.tasks.map((task, number) => [task.id, number]));
    return this.#numbers.get(id);
  }

  /** Accepts the run: durable when this resolves. @throws JournalConflict, or the journal's error. */
  async start(started: RunStarted, request?: Append["request"]): Promise<void> {
    const batch: Waiting[] = [{ kind: { case: "runStarted", value: started } }];
    const events = this.#stamp(batch);
    this.#busy = true;
    await this.#around.journal.append({
      runId: this.runId,
      events,
      run: this.projection.run(),
      ...(request ? { request } : {}),
    });
    this.#carryOut(events, batch);
    this.#busy = false;
    this.#pump();
  }

  /** Takes up a run from its journal and performs again what is in flight. */
  resume(events: readonly Event[]): void {
    this.#replay(events);
    for (const command of this.projection.machine.pending()) this.#perform(command);
    this.#pump();
  }

  /** Takes up a run from its journal only to cancel it. */
  cancelLeft(events: readonly Event[], reason: string): void {
    this.#replay(events);
    const { machine } = this.projection;
    const [command] = machine.pending();
    if (command?.kind === "completeRun") this.#perform(command);
    else if (machine.cancelling) for (const one of machine.pending()) this.#perform(one);
    else this.record({ case: "runCancelRequested", value: create(RunCancelRequestedSchema, { reason }) });
    this.#pump();
  }

  #replay(events: readonly Event[]): void {
    for (const event of events) {
      this.projection.apply(event);
      this.#events.push(event);
      if (event.kind.case === "datasetProfiled") this.#keepProfile(event.kind.value.profile);
    }
    this.#seq = events.at(-1)?.seq ?? 0n;
  }

  #keepProfile(profile: DatasetProfile | undefined): void {
    if (profile?.dataset) this.profiles.set(profile.dataset.uri, profile);
  }

  /** Records what happened. The order of calls is the order of the journal. `then` is called once it is durable and applied. */
  record(kind: EventKind, then?: () => void): void {
    if (this.#stopped) return;
    this.#queue.push({ kind, then, commands: undefined });
    this.#pump();
  }

  /** Shows something passing to whoever watches. */
  show(ephemeral: Ephemeral): void {
    this.feed.notify(ephemeral);
  }

  /** Stops driving; the journal stays as it is, to be resumed. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const callOff of this.#timers?.values() ?? []) callOff();
    this.#timers = undefined;
    this.#rejectEnded(reason);
    this.feed.notify();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#queue.length > 0 && !this.#stopped) {
      const batch = this.#queue;
      this.#queue = [];
      const events = this.#stamp(batch);
      const durable = this.#append(events);
      if (durable) {
        void durable.then((kept) => {
          if (kept) this.#carryOut(events, batch);
          this.#busy = false;
          this.#pump();
        });
        return;
      }
      this.#carryOut(events, batch);
    }
    this.#busy = false;
  }

  /** Gives events their places, and lets machine and projection see them. What follows from them waits until they are durable. */
  #stamp(batch: readonly Waiting[]): Event[] {
    const events: Event[] = [];
    const time = this.#now();
    for (const waiting of batch) {
      // A literal, not `create`: the kind is a message already, and there are two events per task.
      const event: Event = {
        $typeName: "odg.run.v1.Event",
        runId: this.runId,
        seq: ++this.#seq,
        time,
        kind: this.#checkContext(waiting.kind),
      };
      events.push(event);
      waiting.commands = this.projection.tryApply(event);
      // A terminal run never changes: nothing is recorded behind its end.
      if (event.kind.case === "runCompleted") break;
    }
    return events;
  }

  /** The time, as one message for all events of a millisecond. */
  #now(): Timestamp {
    const ms = this.#around.clock.now();
    if (!this.#time || ms !== this.#timeMs) {
      this.#timeMs = ms;
      this.#time = timestampFromMs(ms);
    }
    return this.#time;
  }

  /** Writes that another attempt has overtaken fail the attempt: nothing of it is committed, and it may be tried again. */
  #checkContext(kind: EventKind): EventKind {
    if (kind.case !== "taskCompleted") return kind;
    const { task, attempt, contextWrites } = kind.value;
    const conflict = this.projection.context.conflict(contextWrites);
    if (!conflict) return kind;
    const failure = create(FailureSchema, {
      reason: Reason.CONTEXT_CONFLICT,
      message: "another task wrote the same context key first",
      subject: `context.${conflict.key}`,
      retryable: true,
    });
    return { case: "taskFailed", value: this.failed({ task, attempt, failure }) };
  }

  /** The event for a failed attempt, with the wait before the next one where the task's retry policy allows one. */
  failed({ task, attempt, failure }: { task: number; attempt: number; failure: Failure }): TaskFailed {
    const retryAfter = retryDelay(this.task(task), attempt, failure, this.#around.clock.random());
    return create(TaskFailedSchema, { task, attempt, failure, ...(retryAfter ? { retryAfter } : {}) });
  }

  /** Nothing where the events are durable already; else whether they became so. */
  #append(events: Event[]): Promise<boolean> | undefined {
    const append: Append = { runId: this.runId, events, run: this.projection.run() };
    try {
      const durable = this.#around.journal.append(append);
      return durable?.then(
        () => true,
        (error: unknown) => this.#appendAgain(append, error),
      );
    } catch (error) {
      return this.#appendAgain(append, error);
    }
  }

  /** Waits for a journal that does not answer, as long as it takes; gives up the run where another writer has it. */
  async #appendAgain(append: Append, first: unknown): Promise<boolean> {
    let error = first;
    for (let wait = FIRST_RETRY_MS; !this.#stopped; wait = Math.min(2 * wait, LONGEST_RETRY_MS)) {
      if (error instanceof JournalConflict) {
        this.#around.logger.warn({ runId: this.runId }, "another engine drives this run; it is given up here");
        this.stop(error);
        return false;
      }
      this.#around.logger.error({ runId: this.runId, err: error }, "the journal does not take events; trying again");
      await new Promise<void>((resolve) => this.#around.clock.after(wait, resolve));
      try {
        await this.#around.journal.append(append);
        return true;
      } catch (again) {
        error = again;
      }
    }
    return false;
  }

  /** What durable events ask for. */
  #carryOut(events: readonly Event[], batch: readonly Waiting[]): void {
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      const { commands, then } = batch[i]!;
      this.#events.push(event);
      if (commands) for (const command of commands) this.#perform(command);
      then?.();
      if (event.kind.case === "runCompleted") this.#end();
    }
    this.feed.notify();
  }

  #end(): void {
    this.#queue = [];
    this.#stopped = true;
    this.#resolveEnded(this.projection.run());
  }

  #perform(command: Command): void {
    switch (command.kind) {
      case "dispatch":
        this.#around.performer.dispatch(this, command);
        return;
      case "skip":
        this.record({
          case: "taskSkipped",
          value: create(TaskSkippedSchema, { task: command.task, cause: command.cause }),
        });
        return;
      case "scheduleRetry":
        this.#scheduleRetry(command.task, command.dueMs);
        return;
      case "cancelTask":
        this.#timers?.get(command.task)?.();
        this.#around.performer.cancel(this, command);
        this.record({ case: "taskCancelled", value: create(TaskCancelledSchema, { task: command.task }) });
        return;
      case "completeRun":
        this.record({ case: "runCompleted", value: create(RunCompletedSchema, { status: command.status }) });
        return;
    }
  }

  #scheduleRetry(task: number, dueMs: number): void {
    const { clock } = this.#around;
    const callOff = clock.after(dueMs - clock.now(), () => {
      this.#timers?.delete(task);
      this.record({ case: "taskRetryDue", value: create(TaskRetryDueSchema, { task }) });
    });
    this.#timers ??= new Map();
    this.#timers.set(task, callOff);
  }
}
