import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ContextEntry } from "@odg/proto/odg/expert/v1/expert_pb";
import type { Event, Run, RunStarted, TaskCompleted, TaskState } from "@odg/proto/odg/run/v1/run_pb";
import { RunSchema, RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Task } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { RunContext } from "./context.ts";
import { type Command, RunMachine } from "./machine.ts";
import type { Scope, TaskScope } from "./scope.ts";

/**
 * A journal as people and lists see it: the proto Run, kept up to date event by event in O(out-degree). It drives the run's machine,
 * so that what that refuses (stale, duplicate) changes nothing here either, and a driver needs no second one.
 */
export class RunProjection {
  /** What the experts of the run share so far. */
  readonly context = new RunContext();
  /** The run's machine: to be read. It takes events by way of the projection only. */
  readonly machine = new RunMachine();
  #run: Run = create(RunSchema);
  #numbers: Map<string, number> | undefined;

  /** Takes one event. Answers whether it changed anything. */
  apply(event: Event): boolean {
    return this.tryApply(event) !== undefined;
  }

  /** As {@link apply}, but answers what the machine asks for because of the event; undefined where it changed nothing. */
  tryApply(event: Event): readonly Command[] | undefined {
    const commands = this.machine.tryApply(event);
    if (commands === undefined) return this.#noteOther(event) ? [] : undefined;
    this.#note(event);
    for (const command of commands) if (command.kind === "dispatch") this.#noteReady(command.task, event);
    this.#noteStatus(event);
    if (event.seq !== 0n) this.#run.lastSeq = event.seq;
    return commands;
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

  // Events that are no business of the machine still have their place in the journal.
  #noteOther(event: Event): boolean {
    const news =
      event.kind.case === "datasetProfiled" && event.runId === this.#run.runId && event.seq > this.#run.lastSeq;
    if (news) this.#run.lastSeq = event.seq;
    return news;
  }

  #note({ kind, time, seq, runId }: Event): void {
    const run = this.#run;
    switch (kind.case) {
      case "runStarted":
        run.runId = runId;
        run.createTime = time;
        this.#begin(kind.value);
        return;
      case "taskStarted": {
        const task = run.tasks[kind.value.task]!;
        task.attempts = Math.max(task.attempts, kind.value.attempt);
        task.startTime = time;
        task.expert = kind.value.expert || task.expert;
        task.action = kind.value.action || task.action;
        return;
      }
      case "taskCompleted":
        this.#completed(run.tasks[kind.value.task]!, kind.value, seq);
        run.tasks[kind.value.task]!.endTime = time;
        return;
      case "taskFailed": {
        const task = run.tasks[kind.value.task]!;
        task.failure = kind.value.failure;
        if (this.machine.status(kind.value.task) !== TaskStatus.FAILED) return;
        task.endTime = time;
        run.failure ??= kind.value.failure;
        return;
      }
      case "taskSkipped":
        run.tasks[kind.value.task]!.skipCause = kind.value.cause;
        run.tasks[kind.value.task]!.endTime = time;
        return;
      case "taskCancelled":
        run.tasks[kind.value.task]!.endTime = time;
        return;
      case "runCompleted":
        run.status = kind.value.status;
        run.endTime = time;
        return;
    }
  }

  #begin(started: RunStarted): void {
    const run = this.#run;
    run.workflowId = started.workflow?.workflowId ?? "";
    run.workflowVersion = started.workflowVersion;
    run.status = RunStatus.RUNNING;
    run.inputs = started.inputs;
    run.labels = { ...started.labels };
    run.tasks = (started.workflow?.tasks ?? []).map((task) => pendingState(task, started.pins[task.id]));
  }

  #completed(task: TaskState, completed: TaskCompleted, seq: bigint): void {
    task.output = completed.output;
    task.summary = completed.summary;
    task.findingCount = completed.findings.length;
    task.failure = undefined;
    this.context.commit(completed.contextWrites, { taskId: task.taskId, expert: task.expert, seq });
  }

  #noteReady(number: number, { time }: Event): void {
    const task = this.#run.tasks[number]!;
    task.status = TaskStatus.READY;
    task.readyTime = time;
  }

  #noteStatus({ kind }: Event): void {
    if (kind.value === undefined || !("task" in kind.value)) return;
    const { task } = kind.value;
    const status = this.machine.status(task);
    if (status !== TaskStatus.UNSPECIFIED) this.#run.tasks[task]!.status = status;
  }
}

// A literal with every field, those that come later included: one shape for all states, and a quarter of the time of `create`.
function pendingState({ id, expert, action }: Task, pin: string | undefined): TaskState {
  return {
    $typeName: "odg.run.v1.TaskState",
    taskId: id,
    status: TaskStatus.PENDING,
    attempts: 0,
    expert: pin ?? expert,
    action,
    readyTime: undefined,
    startTime: undefined,
    endTime: undefined,
    failure: undefined,
    skipCause: SkipCause.UNSPECIFIED,
    summary: "",
    findingCount: 0,
    output: undefined,
    outputBlob: undefined,
    reusedFrom: "",
    items: undefined,
    approval: undefined,
    childRunId: "",
  };
}

/** The run that a journal tells of. */
export function project(events: Iterable<Event>): Run {
  return replay(events).run();
}

/** What the experts of a run share at the end of its journal, ordered by key. */
export function contextOf(events: Iterable<Event>): ContextEntry[] {
  return replay(events).context.entries();
}

function replay(events: Iterable<Event>): RunProjection {
  const projection = new RunProjection();
  for (const event of events) projection.apply(event);
  return projection;
}
