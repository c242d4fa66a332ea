import { create, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { FailureSchema, Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ContextEntry, ContextWrite } from "@odg/proto/odg/expert/v1/expert_pb";
import type {
  ApprovalDecided,
  Event,
  Run,
  RunStarted,
  TaskCompleted,
  TaskFailed,
  TaskStarted,
  TaskState,
} from "@odg/proto/odg/run/v1/run_pb";
import { ApprovalStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type RunSnapshot, RunSnapshotSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Command } from "./command.ts";
import { RunContext } from "./context.ts";
import { Expansion } from "./expansion.ts";
import { MACHINE_VERSION, RunMachine } from "./machine.ts";
import { hasEnded } from "./run-state.ts";
import type { Scope, TaskScope } from "./scope.ts";
import { emptyRun, failureOfDecision, itemCounts, pendingState, requestedApproval, TaskCounts } from "./task-state.ts";

/**
 * A journal as people and lists see it: the proto Run, kept up to date event by event in O(out-degree). It drives the run's machine,
 * so that what that refuses (stale, duplicate) changes nothing here either, and a driver needs no second one.
 */
export class RunProjection {
  /** What the experts of the run share so far. */
  readonly context: RunContext;
  /** The run's machine: to be read. It takes events by way of the projection only. */
  readonly machine: RunMachine;
  #run: Run;
  #counts: TaskCounts;
  #numbers: Map<string, number> | undefined;
  /** Sequence number of the newest TaskStarted of each task. */
  #startSeqs: bigint[] = [];
  /** By task, until it has ended. */
  #expansions: Map<number, Expansion> | undefined;

  constructor(machine = new RunMachine(), context = new RunContext(), run = emptyRun()) {
    this.machine = machine;
    this.context = context;
    this.#run = run;
    this.#counts = new TaskCounts(run.taskCounts);
  }

  /** Takes one event. Answers whether it changed anything. */
  apply(event: Event): boolean {
    return this.tryApply(event) !== undefined;
  }

  /** As {@link apply}, but answers what the machine asks for because of the event; undefined where it changed nothing. */
  tryApply(event: Event): readonly Command[] | undefined {
    const commands = this.machine.tryApply(event);
    if (commands === undefined) return this.#noteOther(event) ? [] : undefined;
    this.#note(event);
    for (const command of commands) {
      if (command.kind === "reuse" || (command.kind === "dispatch" && command.item === 0))
        this.#sync(command.task, event);
    }
    this.#run.status = this.machine.runStatus;
    if (event.seq !== 0n) this.#run.lastSeq = event.seq;
    return commands;
  }

  /**
   * Takes an event that stands in the journal: where the machine refuses it, it has its place all the same. Drivers before version 2 of the
   * machine recorded such events, too.
   */
  replay(event: Event): void {
    const passed = this.tryApply(event) === undefined && event.runId === this.#run.runId;
    if (passed && event.seq > this.#run.lastSeq) this.#run.lastSeq = event.seq;
  }

  /** What the expressions of the run may read now. Outputs are turned into JSON when they are asked for. */
  scope(): Scope {
    const run = this.#run;
    const get = (id: string): TaskScope | undefined => {
      this.#numbers ??= new Map(run.tasks.map(({ taskId }, number) => [taskId, number]));
      const task = run.tasks[this.#numbers.get(id) ?? -1];
      if (task === undefined) return undefined;
      const output = task.output === undefined ? undefined : toJson(ValueSchema, task.output);
      return { status: TaskStatus[task.status], output };
    };
    return { run: { id: run.runId, inputs: run.inputs ?? {} }, tasks: { get } };
  }

  /** The run as of the last event. It is the projection's own message: read or clone it, do not change it. */
  run(): Run {
    return this.#run;
  }

  /** Tasks and known items: what a snapshot costs to make. */
  get size(): number {
    let size = this.machine.taskCount;
    for (const { expanded } of this.#expansions?.values() ?? []) size += expanded.count;
    return size;
  }

  /** The items of a task, and what they have answered; undefined where it has none, or has ended. */
  expansion(task: number): Expansion | undefined {
    return this.#expansions?.get(task);
  }

  /** The first context write of an attempt that another has overtaken since it began: the attempt must fail, to be tried again. */
  conflict({ task, item, contextWrites, reusedFrom }: TaskCompleted): ContextWrite | undefined {
    if (contextWrites.length === 0 || reusedFrom !== "") return undefined;
    const since = item > 0 ? this.expansion(task)?.startSeq(item) : this.#startSeqs[task];
    const { taskId } = this.#run.tasks[task] ?? {};
    return this.context.conflict(contextWrites, since && taskId ? { taskId, since } : undefined);
  }

  /**
   * Where the run stands, for {@link RunProjection.restore}. It shares messages with the projection: it is to be serialized before the
   * next event is applied.
   */
  snapshot(): RunSnapshot {
    return create(RunSnapshotSchema, {
      machineVersion: MACHINE_VERSION,
      run: this.#run,
      machine: this.machine.state(),
      context: this.context.entries(),
      startSeqs: this.#startSeqs.slice(),
      expanded: [...(this.#expansions?.values() ?? [])].map((expansion) => expansion.state()),
    });
  }

  /**
   * The projection as it was when the snapshot was taken; it goes on with the events behind it. Undefined where this version cannot
   * read the snapshot, or it is another run's: then the journal has to be replayed. It takes the snapshot's messages over.
   *
   * @param started The content of the run's first event.
   */
  static restore(started: RunStarted, snapshot: RunSnapshot): RunProjection | undefined {
    const { run, machine: state, context, startSeqs, expanded } = snapshot;
    if (snapshot.machineVersion !== MACHINE_VERSION || run === undefined || state === undefined) return undefined;
    const machine = RunMachine.restore({ started, runId: run.runId, state });
    if (machine === undefined || run.tasks.length !== machine.taskCount) return undefined;
    const projection = new RunProjection(machine, new RunContext(context), run);
    projection.#startSeqs = startSeqs;
    for (const { expanded: items, results, startSeqs: seqs } of expanded)
      if (items !== undefined) projection.#expand(items.task, new Expansion(items, results, seqs));
    return projection;
  }

  // Events that are no business of the machine still have their place in the journal.
  #noteOther(event: Event): boolean {
    const news =
      event.kind.case === "datasetProfiled" && event.runId === this.#run.runId && event.seq > this.#run.lastSeq;
    if (news) this.#run.lastSeq = event.seq;
    return news;
  }

  #note(event: Event): void {
    const { kind, time, runId } = event;
    const run = this.#run;
    switch (kind.case) {
      case "runStarted":
        run.runId = runId;
        run.createTime = time;
        this.#begin(kind.value);
        return;
      case "taskStarted":
        this.#started(kind.value, event);
        this.#settle(kind.value.task, event);
        return;
      case "taskCompleted":
        this.#completed(kind.value, event);
        this.#settle(kind.value.task, event);
        return;
      case "runTimedOut": {
        const [reason, message] = [Reason.DEADLINE_EXCEEDED, "The run took longer than its workflow allows."];
        run.failure = create(FailureSchema, { reason, message, subject: "timeout" });
        return;
      }
      case "runCompleted":
        run.endTime = time;
        return;
    }
    if (kind.value === undefined || !("task" in kind.value)) return;
    this.#noteTask(run.tasks[kind.value.task]!, event);
    this.#settle(kind.value.task, event);
  }

  /** What happens to few tasks. */
  #noteTask(task: TaskState, { kind, time, runId }: Event): void {
    switch (kind.case) {
      case "taskFailed":
        this.#failed(kind.value);
        return;
      case "taskSkipped":
        task.skipCause = kind.value.cause;
        return;
      case "taskExpanded":
        this.#expand(kind.value.task, new Expansion(kind.value));
        task.startTime = time;
        task.attempts = 1;
        return;
      case "approvalRequested":
        task.approval = requestedApproval(kind.value, { runId, taskId: task.taskId, time });
        return;
      case "approvalEscalated": {
        const { approvers, deadline } = kind.value;
        Object.assign(task.approval!, { approvers, deadline, escalated: true });
        return;
      }
      case "approvalDecided":
        this.#decided(kind.value, time);
        return;
    }
  }

  #begin(started: RunStarted): void {
    const run = this.#run;
    run.workflowId = started.workflow?.workflowId ?? "";
    run.workflowVersion = started.workflowVersion;
    run.inputs = started.inputs;
    run.labels = { ...started.labels };
    run.user = started.user;
    run.priority = started.priority;
    run.forkedFrom = started.forkedFrom;
    run.parent = started.parent;
    const { deadlineMs } = this.machine;
    if (deadlineMs !== undefined) run.deadline = timestampFromMs(deadlineMs);
    run.tasks = (started.workflow?.tasks ?? []).map((task) => pendingState(task, started.pins[task.id]));
    this.#counts.add(TaskStatus.PENDING, run.tasks.length);
    this.#startSeqs = new Array<bigint>(run.tasks.length).fill(0n);
  }

  #started({ task: number, item, attempt, expert, action, childRunId }: TaskStarted, { seq, time }: Event): void {
    const task = this.#run.tasks[number]!;
    task.expert = expert || task.expert;
    task.action = action || task.action;
    if (item > 0) {
      this.expansion(number)?.started(item, seq);
      return;
    }
    this.#startSeqs[number] = seq;
    task.attempts = Math.max(task.attempts, attempt);
    task.startTime = time;
    task.childRunId = childRunId;
  }

  #completed(completed: TaskCompleted, { seq }: Event): void {
    const task = this.#run.tasks[completed.task]!;
    const { taskId, expert } = task;
    task.findingCount = completed.findings.length + (task.items === undefined ? 0 : task.findingCount);
    this.context.commit(completed.contextWrites, { taskId, expert, seq });
    if (completed.item > 0) {
      this.expansion(completed.task)?.completed(completed);
      return;
    }
    task.output = completed.output;
    task.outputBlob = completed.outputBlob;
    task.summary = completed.summary;
    task.reusedFrom = completed.reusedFrom;
    task.failure = undefined;
  }

  #failed({ task: number, item, failure }: TaskFailed): void {
    const task = this.#run.tasks[number]!;
    // An item that is to be tried again says nothing of its task.
    if (item > 0 && this.machine.itemStatus(number, item) !== TaskStatus.FAILED) return;
    if (item === 0 || task.failure === undefined) task.failure = failure;
    if (this.machine.status(number) === TaskStatus.FAILED) this.#run.failure ??= failure;
  }

  #decided(decided: ApprovalDecided, time: Timestamp | undefined): void {
    const task = this.#run.tasks[decided.task]!;
    const { status, decidedBy, reason } = decided;
    Object.assign(task.approval!, { status, decidedBy, reason, decideTime: time });
    if (status === ApprovalStatus.APPROVED) return;
    task.failure = failureOfDecision(decided, task.taskId);
    this.#run.failure ??= task.failure;
  }

  #expand(number: number, expansion: Expansion): void {
    this.#expansions ??= new Map();
    this.#expansions.set(number, expansion);
  }

  /** Brings in line with the machine what an event about a task changed. */
  #settle(number: number, event: Event): void {
    this.#sync(number, event);
    const task = this.#run.tasks[number]!;
    const items = this.machine.items(number);
    if (items !== undefined) task.items = itemCounts(items);
    // What a pause holds was asked for by no command.
    if (this.machine.paused && hasEnded(task.status))
      for (const next of this.machine.successorsOf(number)) this.#sync(next, event);
  }

  #sync(number: number, { time }: Event): void {
    const task = this.#run.tasks[number]!;
    const status = this.machine.status(number);
    if (task.status === status) return;
    this.#counts.add(task.status, -1);
    this.#counts.add(status, 1);
    task.status = status;
    if (status === TaskStatus.READY) task.readyTime = time;
    if (!hasEnded(status)) return;
    task.endTime = time;
    if (task.items !== undefined) task.items.active = 0;
    this.#expansions?.delete(number);
  }
}

/** The run that a journal tells of. */
export function project(events: Iterable<Event>): Run {
  return replayed(events).run();
}

/** What the experts of a run share at the end of its journal, ordered by key. */
export function contextOf(events: Iterable<Event>): ContextEntry[] {
  return replayed(events).context.entries();
}

function replayed(events: Iterable<Event>): RunProjection {
  const projection = new RunProjection();
  for (const event of events) projection.replay(event);
  return projection;
}
