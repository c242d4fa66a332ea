import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DatasetProfile } from "@odg/proto/odg/catalog/v1/dataset_pb";
import { type Failure, FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  type Ephemeral,
  type Event,
  type Run,
  RunCancelRequestedSchema,
  type RunStarted,
  type TaskFailed,
  TaskFailedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import { RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Task, Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { type Command, RunProjection, retryDelay } from "@odg/workflow";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { type Append, type Blob, type Journal, JournalConflict, type StoredSnapshot } from "../store/store.ts";
import { changedTasks, type Step } from "./changed-tasks.ts";
import { EventTail } from "./event-tail.ts";
import { failpoint } from "./failpoint.ts";
import { Feed } from "./feed.ts";
import type { JobName } from "./job.ts";
import { type Performer, performCommand } from "./perform-command.ts";
import { RunTimers } from "./run-timers.ts";

export type { Performer } from "./perform-command.ts";

/** What happened, before it has a place in the journal. */
export type EventKind = Event["kind"];

/** What goes with something that happened. */
export interface Recording {
  /** Called once it is durable and applied, or with false where the machine refused it: then it is nowhere in the journal. */
  then?: ((accepted: boolean) => void) | undefined;
  /** Values that the event refers to. */
  blobs?: readonly Blob[];
}

interface Waiting extends Recording {
  kind: EventKind;
}

/** An event that has its place, and what follows from it once it is durable. */
interface Stamped extends Step {
  waiting: Waiting;
}

/** What a run needs around it. */
export interface RunSurroundings {
  journal: Journal;
  performer: Performer;
  clock: Clock;
  logger: Logger;
  /** Of the lease under which this engine drives it. */
  fence?: bigint;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;
/** Events between two snapshots, at least. */
const SNAPSHOT_EVENTS = 1000;
/** Events for each task and item between two snapshots, at least: a snapshot holds them all. */
const SNAPSHOT_SHARE = 4;
/** Events behind the last snapshot from which on a run that is taken up gets a new one. */
const REPLAYED_EVENTS = 100;

/**
 * One run under way: the only writer of its journal. Events are appended durably, then applied, then the commands that follow are
 * performed; their outcomes are new events. With a journal that answers synchronously the whole circle is synchronous.
 */
export class ActiveRun {
  readonly runId: string;
  readonly feed = new Feed();
  /** Newest durable events. */
  readonly tail = new EventTail();
  /** Profiles of the run's datasets by URI. */
  readonly profiles = new Map<string, DatasetProfile>();
  readonly timers: RunTimers;
  /** Resolves with the run as it ended; rejects where this engine lost it. */
  readonly ended: Promise<Run>;
  #resolveEnded!: (run: Run) => void;
  #rejectEnded!: (error: unknown) => void;
  #around: RunSurroundings;
  #projection = new RunProjection();
  #started: RunStarted | undefined;
  #queue: Waiting[] = [];
  #seq = 0n;
  #sinceSnapshot = 0;
  #time: Timestamp | undefined;
  #timeMs = 0;
  #busy = false;
  #stopped = false;
  #numbers: Map<string, number> | undefined;

  constructor(runId: string, around: RunSurroundings) {
    this.runId = runId;
    this.#around = around;
    this.timers = new RunTimers(around.clock);
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
    // Whoever cares waits for it; a run that nobody waits for must not end the process.
    this.ended.catch(() => undefined);
  }

  get projection(): RunProjection {
    return this.#projection;
  }

  /** The first event's content. */
  get started(): RunStarted {
    if (!this.#started) throw new Error(`the journal of run ${this.runId} does not begin with RunStarted`);
    return this.#started;
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

  /** Unix milliseconds, by the engine's clock. */
  now(): number {
    return this.#around.clock.now();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Accepts the run: durable when this resolves. @throws JournalConflict, or the journal's error. */
  async start(started: RunStarted, request?: Append["request"]): Promise<void> {
    this.#started = started;
    const stamped = this.#stamp([{ kind: { case: "runStarted", value: started } }]);
    this.#busy = true;
    await this.#around.journal.append({ ...this.#appendOf(stamped), ...(request ? { request } : {}) });
    this.#carryOut(stamped);
    this.#busy = false;
    this.#pump();
  }

  /** Takes up a run from its journal and performs again what is in flight. */
  resume(from: TakenUp): void {
    this.#takeUp(from);
    for (const command of this.#projection.machine.pending()) this.#perform(command);
    this.#pump();
  }

  /** Takes up a run from its journal only to cancel it. */
  cancelLeft(from: TakenUp, reason: string): void {
    this.#takeUp(from);
    const { machine } = this.#projection;
    const [command] = machine.pending();
    if (command?.kind === "completeRun") this.#perform(command);
    else if (machine.cancelling) for (const one of machine.pending()) this.#perform(one);
    else this.record({ case: "runCancelRequested", value: create(RunCancelRequestedSchema, { reason }) });
    this.#pump();
  }

  #takeUp({ started, projection, profiles, replayed }: TakenUp): void {
    this.#started = started;
    this.#projection = projection;
    for (const profile of profiles) if (profile.dataset) this.profiles.set(profile.dataset.uri, profile);
    this.#seq = projection.run().lastSeq;
    this.tail.beginAfter(this.#seq);
    if (replayed >= REPLAYED_EVENTS) this.#sinceSnapshot = Number.POSITIVE_INFINITY;
  }

  /** Records what happened. The order of calls is the order of the journal. */
  record(kind: EventKind, recording: Recording = {}): void {
    if (this.#stopped) {
      recording.then?.(false);
      return;
    }
    this.#queue.push({ kind, ...recording });
    this.#pump();
  }

  /** Shows something passing to whoever watches. */
  show(ephemeral: Ephemeral): void {
    this.feed.notify(ephemeral);
  }

  /** Stops driving; the journal stays as it is, to be resumed. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#rejectEnded(reason);
    this.#halt();
    this.feed.notify();
  }

  #halt(): void {
    this.#stopped = true;
    this.timers.clear();
    const left = this.#queue;
    this.#queue = [];
    for (const { then } of left) then?.(false);
  }

  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#queue.length > 0 && !this.#stopped) {
      const batch = this.#queue;
      this.#queue = [];
      const stamped = this.#stamp(batch);
      if (stamped.length === 0) continue;
      const durable = this.#append(stamped);
      if (durable) {
        void durable.then((kept) => {
          if (kept) this.#carryOut(stamped);
          else for (const { waiting } of stamped) waiting.then?.(false);
          this.#busy = false;
          this.#pump();
        });
        return;
      }
      this.#carryOut(stamped);
    }
    this.#busy = false;
  }

  /**
   * Gives events their places, and lets machine and projection see them. What they refuse never happened: it gets no place. What follows
   * from the others waits until they are durable.
   */
  #stamp(batch: readonly Waiting[]): Stamped[] {
    const stamped: Stamped[] = [];
    const time = this.#now();
    for (const waiting of batch) {
      // A literal, not `create`: the kind is a message already, and there are two events per task.
      const event: Event = {
        $typeName: "odg.run.v1.Event",
        runId: this.runId,
        seq: this.#seq + 1n,
        time,
        kind: this.#checkContext(waiting.kind),
      };
      const commands = this.#projection.tryApply(event);
      if (!commands) {
        waiting.then?.(false);
        continue;
      }
      this.#seq++;
      stamped.push({ event, commands, waiting });
    }
    return stamped;
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
    if (kind.case !== "taskCompleted" || kind.value.contextWrites.length === 0 || kind.value.reusedFrom) return kind;
    const { task, item, attempt } = kind.value;
    const conflict = this.#projection.conflict(kind.value);
    if (!conflict) return kind;
    const failure = create(FailureSchema, {
      reason: Reason.CONTEXT_CONFLICT,
      message: "another task wrote the same context key first",
      subject: `context.${conflict.key}`,
      retryable: true,
    });
    return { case: "taskFailed", value: this.failed({ task, item, attempt, failure }) };
  }

  /** The event for a failed attempt, with the wait before the next one where the task's retry policy allows one. */
  failed({ task, item, attempt, failure }: JobName & { attempt: number; failure: Failure }): TaskFailed {
    const retryAfter = retryDelay(this.task(task), attempt, failure, this.#around.clock.random());
    return create(TaskFailedSchema, { task, item, attempt, failure, ...(retryAfter ? { retryAfter } : {}) });
  }

  // Literals and loops: this is done for every event of every run.
  #appendOf(stamped: readonly Stamped[]): Append {
    const events: Event[] = [];
    let blobs: Blob[] | undefined;
    for (const { event, waiting } of stamped) {
      events.push(event);
      if (waiting.blobs) blobs = [...(blobs ?? []), ...waiting.blobs];
    }
    const { fence } = this.#around;
    const changed = events[0]?.kind.case === "runStarted" ? undefined : changedTasks(stamped, this.#projection.machine);
    return {
      runId: this.runId,
      events,
      run: this.#projection.run(),
      fence,
      changed,
      blobs,
      snapshot: this.#snapshot(events.length),
    };
  }

  /** A snapshot where enough has happened since the last one to pay for it, so that making them costs each event the same. */
  #snapshot(events: number): StoredSnapshot | undefined {
    this.#sinceSnapshot += events;
    if (this.#sinceSnapshot < SNAPSHOT_EVENTS) return undefined;
    if (this.#sinceSnapshot < SNAPSHOT_SHARE * this.#projection.size) return undefined;
    this.#sinceSnapshot = 0;
    return { seq: this.#seq, bytes: toBinary(RunSnapshotSchema, this.#projection.snapshot()) };
  }

  /** Nothing where the events are durable already; else whether they became so. */
  #append(stamped: readonly Stamped[]): Promise<boolean> | undefined {
    const append = this.#appendOf(stamped);
    failpoint("journal.beforeAppend");
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
      if (this.#stopped) return false;
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
  #carryOut(stamped: readonly Stamped[]): void {
    failpoint("journal.afterAppend");
    for (const { event, commands, waiting } of stamped) {
      this.tail.push(event);
      for (const command of commands) this.#perform(command);
      waiting.then?.(true);
      if (event.kind.case === "runCompleted") {
        this.#halt();
        this.#resolveEnded(this.#projection.run());
      }
    }
    this.feed.notify();
  }

  #perform(command: Command): void {
    performCommand(this, command, this.#around.performer);
  }
}

/** A run as its journal tells, for an engine that goes on with it. */
export interface TakenUp {
  started: RunStarted;
  projection: RunProjection;
  profiles: readonly DatasetProfile[];
  /** Events that had to be replayed because no snapshot held them. */
  replayed: number;
}
