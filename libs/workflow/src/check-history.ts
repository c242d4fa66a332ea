import type {
  Event,
  RunStarted,
  TaskCompleted,
  TaskExpanded,
  TaskFailed,
  TaskSkipped,
  TaskStarted,
} from "@odg/proto/odg/run/v1/run_pb";
import { ApprovalStatus, RunStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import {
  type Attempts,
  cannotBegin,
  freshAttempts,
  isOver,
  mayBegin,
  recordsOf,
  type TaskRecord,
} from "./history-tasks.ts";
import { millis } from "./wait.ts";

/** A rule that a history breaks. */
export interface Violation {
  /** The rule, in short: `settled twice`. */
  rule: string;
  /** Sequence number of the event that breaks it; 0 where an event is missing. */
  seq: bigint;
  /** What happened, by ids of tasks. */
  message: string;
}

/** What a history is held against beside itself. */
export interface HistoryOptions {
  /** The time of the check, in Unix milliseconds. Given, a run that should have ended by then and has not is a violation. */
  nowMs?: number;
  /** How long a run may go on after its deadline, in milliseconds; 10,000 (two leases) where left out. */
  graceMs?: number;
}

const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_CONCURRENCY = 10;

/**
 * Holds the events of one run, as they were stored, against what must be true whatever broke meanwhile. It is written against the
 * messages alone and shares no code with the machine, so that a mistake in the one does not hide in the other.
 *
 * - The journal has no gap, no double and no event of another run, and begins with RunStarted.
 * - The success of a task, or of an item, is recorded once, and nothing of it follows.
 * - Nothing begins before the predecessors have ended as the task's trigger rule wants, nor is skipped unless they rule it out.
 * - Attempts are counted without gaps, and one begins only after the one before has failed and its wait is over.
 * - Nothing begins without the consent that it needs, nor while the run is paused; a consent is decided once.
 * - Items are within their list and its limit, and a task with items ends after them.
 * - Nothing follows RunCompleted, whose status is what the tasks tell, all of which have ended by then.
 * - No run goes on past its deadline for longer than the grace.
 */
export function checkHistory(events: readonly Event[], options: HistoryOptions = {}): Violation[] {
  const checker = new HistoryChecker();
  for (const event of events) checker.take(event);
  return [...checker.violations, ...checker.late(options)];
}

class HistoryChecker {
  readonly violations: Violation[] = [];
  #event: Event | undefined;
  #records: TaskRecord[] = [];
  #planned = false;
  #failFast = false;
  #paused = false;
  #cancelled = false;
  #timedOut = false;
  #over = false;
  #deadlineMs: number | undefined;

  take(event: Event): void {
    const before = this.#event;
    this.#event = event;
    if (before === undefined) this.#expect(event.kind.case === "runStarted", "beginning", "Another event comes first.");
    this.#expect(event.seq === (before?.seq ?? 0n) + 1n, "sequence", `It follows event ${before?.seq ?? 0n}.`);
    this.#expect(event.runId === (before ?? event).runId, "other run", "It belongs to another run.");
    this.#expect(!this.#over, "after the end", "It follows RunCompleted.");
    this.#judge(event);
  }

  late({ nowMs, graceMs = DEFAULT_GRACE_MS }: HistoryOptions): Violation[] {
    if (nowMs === undefined || this.#over || this.#deadlineMs === undefined) return [];
    const late = Math.round(nowMs - this.#deadlineMs);
    if (late <= graceMs) return [];
    return [{ rule: "deadline", seq: 0n, message: `The run goes on ${late} ms after its deadline.` }];
  }

  #judge({ kind, time }: Event): void {
    switch (kind.case) {
      case "runStarted":
        this.#begin(kind.value, time === undefined ? 0 : millis(time));
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
      case "taskRetryDue":
        this.#retryDue(kind.value.task, kind.value.item);
        return;
      case "taskExpanded":
        this.#expanded(kind.value);
        return;
      case "approvalRequested":
        this.#asked(kind.value.task);
        return;
      case "approvalDecided":
        this.#decided(kind.value.task, kind.value.status);
        return;
      case "taskCancelled":
        this.#taskCancelled(kind.value.task);
        return;
      case "runPaused":
        this.#paused = true;
        return;
      case "runResumed":
        this.#paused = false;
        return;
      case "runTimedOut":
        this.#timedOut = true;
        this.#cancel();
        return;
      case "runCancelRequested":
        this.#cancel();
        return;
      case "runCompleted":
        this.#completedRun(kind.value.status);
        return;
    }
  }

  #begin({ workflow, plan }: RunStarted, timeMs: number): void {
    this.#expect(!this.#planned, "beginning", "RunStarted comes twice.");
    this.#planned = plan !== undefined;
    this.#records = recordsOf(workflow?.tasks ?? []);
    this.#failFast = workflow?.onFailure === "fail_fast";
    if (workflow?.timeout !== undefined) this.#deadlineMs = timeMs + millis(workflow.timeout);
  }

  #started({ task, item, attempt }: TaskStarted): void {
    const found = this.#attemptsOf(task, item);
    if (found === undefined) return;
    const { record, attempts } = found;
    const again = attempt === attempts.started && attempts.started > attempts.failed;
    if (again) return;
    this.#mayBegin(record, item);
    this.#hasConsent(record);
    this.#mayFollow(found, attempt);
    if (item > 0 && attempts.started === 0) this.#itemBegins(record);
    attempts.started = attempt;
  }

  #itemBegins(record: TaskRecord): void {
    const { items } = record;
    if (items === undefined) return;
    items.active++;
    const within = items.active <= items.limit;
    this.#expect(within, "concurrency", `${items.active} items of ${nameOf(record)} are at work, of ${items.limit}.`);
  }

  #completed({ task, item, attempt, reusedFrom }: TaskCompleted): void {
    const found = this.#attemptsOf(task, item);
    if (found === undefined) return;
    const { record, attempts } = found;
    const atOnce = attempts.started <= attempts.failed && record.items === undefined;
    if (atOnce && reusedFrom === "") {
      this.#mayBegin(record, item);
      this.#hasConsent(record);
    }
    this.#mayFollow(found, attempt);
    attempts.end = "succeeded";
    if (item > 0) {
      this.#itemEnds(record, attempts, true);
      return;
    }
    const { items } = record;
    if (items !== undefined)
      this.#expect(items.succeeded === items.count, "items", `${nameOf(record)} succeeds before all its items have.`);
    this.#end(record, TaskStatus.SUCCEEDED);
  }

  #failed({ task, item, attempt, retryAfter }: TaskFailed): void {
    const found = this.#attemptsOf(task, item);
    if (found === undefined) return;
    const { record, attempts } = found;
    this.#mayFollow(found, attempt === 0 && attempts.started === 0 ? attempts.failed + 1 : attempt);
    attempts.failed = Math.max(1, attempt);
    if (retryAfter !== undefined && !this.#cancelled && (item > 0 || record.items === undefined)) {
      attempts.waits = true;
      return;
    }
    attempts.end = "failed";
    if (item > 0) {
      this.#itemEnds(record, attempts, false);
      return;
    }
    const active = record.items?.active ?? 0;
    this.#expect(active === 0, "items", `${nameOf(record)} fails while ${active} of its items are at work.`);
    this.#fail(record);
  }

  #fail(record: TaskRecord): void {
    this.#end(record, TaskStatus.FAILED);
    if (this.#failFast) this.#cancel();
  }

  #itemEnds({ items }: TaskRecord, { started }: Attempts, well: boolean): void {
    if (items === undefined) return;
    if (started > 0) items.active--;
    if (well) items.succeeded++;
  }

  #skipped({ task, cause }: TaskSkipped): void {
    const record = this.#recordOf(task);
    if (record === undefined) return;
    if (cause === SkipCause.CONDITION) this.#mayBegin(record, 0);
    else this.#expect(cannotBegin(record), "skipped", `${nameOf(record)} is skipped, and might still begin.`);
    this.#expect(record.attempts[0]!.started === 0, "skipped", `${nameOf(record)} is skipped after an attempt.`);
    this.#end(record, TaskStatus.SKIPPED);
    if (cause === SkipCause.UPSTREAM) record.tainted = record.before.some(({ tainted }) => tainted);
  }

  #retryDue(task: number, item: number): void {
    const found = this.#attemptsOf(task, item);
    if (found === undefined) return;
    this.#expect(found.attempts.waits, "attempts", `${nameOf(found.record)} waits for no attempt.`);
    found.attempts.waits = false;
  }

  #expanded({ task, count, maxConcurrency }: TaskExpanded): void {
    const record = this.#recordOf(task);
    if (record === undefined) return;
    this.#mayBegin(record, 0);
    this.#hasConsent(record);
    this.#expect(record.items === undefined, "items", `${nameOf(record)} gets its items twice.`);
    record.items = { count, limit: maxConcurrency || DEFAULT_CONCURRENCY, active: 0, succeeded: 0 };
  }

  #asked(task: number): void {
    const record = this.#recordOf(task);
    if (record === undefined) return;
    this.#expect(!this.#paused && mayBegin(record), "too early", `${nameOf(record)} asks before it may begin.`);
    this.#expect(record.consent === "none", "consent", `${nameOf(record)} asks for its consent twice.`);
    record.consent = "asked";
  }

  #decided(task: number, status: ApprovalStatus): void {
    const record = this.#recordOf(task);
    if (record === undefined) return;
    this.#expect(
      record.consent === "asked",
      "consent",
      `The consent for ${nameOf(record)} is decided twice, or unasked.`,
    );
    record.consent = status === ApprovalStatus.APPROVED ? "granted" : "denied";
    if (record.consent === "denied") this.#fail(record);
  }

  #taskCancelled(task: number): void {
    const record = this.#recordOf(task);
    if (record === undefined) return;
    this.#expect(this.#cancelled, "cancelled", `${nameOf(record)} is cancelled, and nobody asked for it.`);
    this.#end(record, TaskStatus.CANCELLED);
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#paused = false;
  }

  #completedRun(status: RunStatus): void {
    this.#over = true;
    if (!this.#planned) return;
    const failed = this.#timedOut || this.#records.some((record) => record.status === TaskStatus.FAILED);
    const open = this.#records.filter((record) => !isOver(record));
    this.#expect(open.length === 0, "end", `The run ends before ${open.map(nameOf).slice(0, 5).join(", ")}.`);
    const fits =
      status === RunStatus.SUCCEEDED
        ? !failed && !this.#cancelled
        : status === RunStatus.FAILED
          ? failed
          : this.#cancelled;
    this.#expect(fits, "end", `The run ends as ${RunStatus[status]}, which its tasks do not tell.`);
  }

  #mayBegin(record: TaskRecord, item: number): void {
    const name = nameOf(record);
    this.#expect(!this.#paused, "paused", `${name} begins while the run is paused.`);
    if (item > 0) return;
    this.#expect(mayBegin(record), "too early", `${name} begins before its predecessors have ended as it wants.`);
  }

  #hasConsent(record: TaskRecord): void {
    const has = record.task.approval === undefined || record.consent === "granted";
    this.#expect(has, "consent", `${nameOf(record)} begins without its consent.`);
  }

  /** Whether the attempt may be what the event says: the one after those that failed, and nothing has settled it. */
  #mayFollow({ record, attempts }: { record: TaskRecord; attempts: Attempts }, attempt: number): void {
    const name = nameOf(record);
    this.#expect(attempts.end === undefined, "settled twice", `${name} goes on after it has ${attempts.end}.`);
    this.#expect(!attempts.waits, "attempts", `${name} goes on before the wait for its next attempt is over.`);
    const next = attempts.failed + 1;
    this.#expect(attempt === next, "attempts", `Attempt ${attempt} of ${name} comes where ${next} should.`);
  }

  #end(record: TaskRecord, status: TaskStatus): void {
    record.status = status;
    record.tainted = status === TaskStatus.FAILED;
  }

  /** The task of the event, which must not have ended. */
  #recordOf(task: number): TaskRecord | undefined {
    const record = this.#records[task];
    this.#expect(record !== undefined, "unknown task", `There is no task ${task}.`);
    if (record === undefined) return undefined;
    const over = isOver(record);
    this.#expect(!over, "settled twice", `${nameOf(record)} goes on after it has ${TaskStatus[record.status]}.`);
    return over ? undefined : record;
  }

  #attemptsOf(task: number, item: number): { record: TaskRecord; attempts: Attempts } | undefined {
    const record = this.#recordOf(task);
    if (record === undefined) return undefined;
    const known = item <= (record.items?.count ?? 0);
    this.#expect(known, "items", `${nameOf(record)} has no item ${item}.`);
    record.attempts[item] ??= freshAttempts();
    return { record, attempts: record.attempts[item] };
  }

  #expect(holds: boolean, rule: string, message: string): void {
    if (holds) return;
    const { seq = 0n, kind } = this.#event ?? {};
    this.violations.push({ rule, seq, message: `${kind?.case ?? "nothing"}: ${message}` });
  }
}

function nameOf({ task }: TaskRecord): string {
  return `task "${task.id}"`;
}
