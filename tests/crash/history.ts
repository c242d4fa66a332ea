// Reads the journal of a run and says what in it must not be: invariants 1 to 4 of the engine, seen from outside.
import { type Event, RunStatus, SkipCause, type TaskFailed } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";

/** What one task, or one item of it, came to so far. */
interface Course {
  ended?: "succeeded" | "failed" | "skipped" | "cancelled";
  /** Attempts that have failed. */
  failed: number;
  /** The newest attempt that has begun. */
  begun: number;
  key?: string;
}

/** Says what is wrong with a journal; nothing where it is in order. An unfinished run is in order as far as it goes. */
export function checkHistory(events: readonly Event[]): string[] {
  const history = new History();
  for (const event of events) history.see(event);
  return history.faults;
}

/** Whether a journal tells the end of its run. */
export function hasEnded(events: readonly Event[]): boolean {
  return events.at(-1)?.kind.case === "runCompleted";
}

class History {
  readonly faults: string[] = [];
  #workflow: Workflow | undefined;
  #predecessors: number[][] = [];
  #courses = new Map<string, Course>();
  #seq = 0n;
  #runId = "";
  #over = false;
  #stopped: "cancelled" | "timed out" | undefined;
  #reused = new Set<number>();
  #expanded = new Map<number, number>();

  see({ runId, seq, kind }: Event): void {
    if (seq !== ++this.#seq) this.#fault(`event ${seq} stands at place ${this.#seq}`);
    if (this.#runId !== "" && runId !== this.#runId) this.#fault(`event ${seq} belongs to run ${runId}`);
    if (this.#over) this.#fault(`event ${seq} (${kind.case}) stands behind the end of the run`);
    if ((kind.case === "runStarted") !== (seq === 1n)) this.#fault(`event ${seq} is ${kind.case}`);
    this.#runId = runId;
    this.#apply(kind);
  }

  #apply(kind: Event["kind"]): void {
    switch (kind.case) {
      case "runStarted":
        this.#begin(kind.value.workflow, kind.value.reused);
        return;
      case "taskExpanded":
        this.#expanded.set(kind.value.task, kind.value.count);
        return;
      case "taskStarted":
        this.#started(kind.value);
        return;
      case "taskCompleted":
        this.#completed(kind.value);
        return;
      case "taskFailed":
        this.#failed(kind.value);
        return;
      case "taskSkipped":
        this.#skipped(kind.value);
        return;
      case "taskCancelled":
        if (!this.#stopped && this.#workflow?.onFailure !== "fail_fast")
          this.#fault(`${this.#name(kind.value.task)} is cancelled, and nobody asked for it`);
        this.#end(kind.value.task, "cancelled");
        return;
      case "runCancelRequested":
        this.#stopped ??= "cancelled";
        return;
      case "runTimedOut":
        this.#stopped ??= "timed out";
        return;
      case "runCompleted":
        this.#complete(kind.value.status);
        return;
    }
  }

  #begin(workflow: Workflow | undefined, reused: readonly number[]): void {
    if (!workflow) {
      this.#fault("RunStarted holds no workflow");
      return;
    }
    this.#workflow = workflow;
    this.#reused = new Set(reused);
    const numbers = new Map(workflow.tasks.map(({ id }, number) => [id, number]));
    this.#predecessors = workflow.tasks.map(({ dependsOn }) => dependsOn.map((id) => numbers.get(id) ?? -1));
  }

  #started({ task, item, attempt, idempotencyKey }: StartedOf): void {
    const what = this.#name(task, item);
    const course = this.#course(task, item);
    if (course.ended) this.#fault(`${what} starts, and has ${course.ended} before`);
    if (!this.#mayStart(task)) this.#fault(`${what} starts before its predecessors allow it`);
    if (item > (this.#expanded.get(task) ?? 0)) this.#fault(`${what} starts, and there is no such item`);
    // The same attempt begins again where its engine ended before it.
    if (attempt !== course.failed + 1)
      this.#fault(`${what} starts attempt ${attempt} after ${course.failed} that failed`);
    if (course.key !== undefined && course.key !== idempotencyKey)
      this.#fault(`${what} has had the key ${course.key} and has ${idempotencyKey} now`);
    course.key = idempotencyKey;
    course.begun = attempt;
  }

  #completed({ task, item, attempt, reusedFrom }: CompletedOf): void {
    const course = this.#course(task, item);
    const aside = (item === 0 && this.#expanded.has(task)) || (reusedFrom !== "" && this.#reused.has(task));
    const approval = this.#workflow?.tasks[task]?.approval && !this.#workflow.tasks[task].action;
    if (!aside && !approval && course.begun !== attempt)
      this.#fault(
        `${this.#name(task, item)} completes attempt ${attempt}, and ${course.begun} is the newest that began`,
      );
    this.#end(task, "succeeded", item);
  }

  #failed({ task, item, attempt, retryAfter }: TaskFailed): void {
    const course = this.#course(task, item);
    if (attempt > course.begun && !(item === 0 && this.#expanded.has(task)))
      this.#fault(`${this.#name(task, item)} fails in attempt ${attempt}, which has not begun`);
    if (retryAfter && !course.ended) course.failed = attempt;
    else this.#end(task, "failed", item);
  }

  #skipped({ task, cause }: { task: number; cause: SkipCause }): void {
    if (this.#course(task, 0).begun > 0) this.#fault(`${this.#name(task)} is skipped after it has begun`);
    if (cause === SkipCause.UPSTREAM && this.#endsOf(task).every((end) => end === "succeeded"))
      this.#fault(`${this.#name(task)} is skipped for its predecessors, which have all succeeded`);
    this.#end(task, "skipped");
  }

  #complete(status: RunStatus): void {
    this.#over = true;
    const ends = (this.#workflow?.tasks ?? []).map((_, task) => this.#course(task, 0).ended);
    ends.forEach((end, task) => {
      if (!end) this.#fault(`the run ends before ${this.#name(task)}`);
    });
    const failed = ends.includes("failed");
    const fits =
      status === RunStatus.SUCCEEDED
        ? !failed && !ends.includes("cancelled")
        : status === RunStatus.FAILED
          ? failed || this.#stopped === "timed out"
          : status === RunStatus.CANCELLED && this.#stopped === "cancelled";
    if (!fits) this.#fault(`the run ends ${RunStatus[status]}, and its tasks ${[...new Set(ends)].join(", ")}`);
  }

  #mayStart(task: number): boolean {
    const ends = this.#endsOf(task);
    const all = ends.every((end) => end !== undefined);
    switch (this.#workflow?.tasks[task]?.triggerRule) {
      case "all_done":
        return all;
      case "one_success":
        return ends.length === 0 || ends.includes("succeeded");
      case "none_failed":
        return all && !ends.includes("failed");
      default:
        return ends.every((end) => end === "succeeded");
    }
  }

  #endsOf(task: number): Course["ended"][] {
    return (this.#predecessors[task] ?? []).map((one) => this.#course(one, 0).ended);
  }

  #end(task: number, ended: NonNullable<Course["ended"]>, item = 0): void {
    const course = this.#course(task, item);
    if (course.ended) this.#fault(`${this.#name(task, item)} has ${ended}, and had ${course.ended} before`);
    course.ended = ended;
  }

  #course(task: number, item: number): Course {
    const key = `${task}/${item}`;
    const course = this.#courses.get(key) ?? { failed: 0, begun: 0 };
    this.#courses.set(key, course);
    return course;
  }

  #name(task: number, item = 0): string {
    const id = this.#workflow?.tasks[task]?.id ?? `number ${task}`;
    return item === 0 ? `task ${id}` : `item ${item} of task ${id}`;
  }

  #fault(what: string): void {
    this.faults.push(`run ${this.#runId}: ${what}`);
  }
}

type StartedOf = { task: number; item: number; attempt: number; idempotencyKey: string };
type CompletedOf = { task: number; item: number; attempt: number; reusedFrom: string };
