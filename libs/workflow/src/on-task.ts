import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Event, TaskCompleted, TaskExpanded, TaskFailed, TaskStarted } from "@odg/proto/odg/run/v1/run_pb";
import { ApprovalStatus, SkipCause, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { RunPhase } from "@odg/proto/odg/run/v1/snapshot_pb";
import type { Command } from "./command.ts";
import { Consents } from "./consent.ts";
import { MAX_ITEMS, TaskItems } from "./items.ts";
import { hasEnded, type RunState, SKIPPING } from "./run-state.ts";
import { SKIPPED, WELL } from "./trigger.ts";
import { millis, type Wait } from "./wait.ts";

// What the events about tasks do to a run, and what is to be done because of them; undefined where an event is refused.

const { RUNNING, CANCELLING } = RunPhase;

/** An attempt began. */
export function taskStarted(state: RunState, { task, attempt, item }: TaskStarted): Command[] | undefined {
  if (state.paused) return undefined;
  if (item > 0) return state.itemsOf(task)?.started(item, attempt) ? [] : undefined;
  if (state.status[task] !== TaskStatus.READY || state.attempt[task] !== attempt) return undefined;
  state.status[task] = TaskStatus.RUNNING;
  return [];
}

/** A task ended well; one with items only after all of them have. */
export function taskCompleted(state: RunState, { task, attempt }: TaskCompleted): Command[] | undefined {
  if (!state.underWay(task) || state.attempt[task] !== attempt) return undefined;
  const items = state.itemsOf(task);
  if (items !== undefined && (!items.settled || items.failed > 0)) return undefined;
  state.end(task, TaskStatus.SUCCEEDED);
  return state.orComplete(state.advance(task, WELL));
}

/** An attempt failed: it is tried again after a wait, or the task has failed for good. */
export function taskFailed(
  state: RunState,
  { task, attempt, retryAfter }: TaskFailed,
  event: Event,
): Command[] | undefined {
  if (!state.underWay(task)) return undefined;
  // Attempt 0: it failed before any attempt began.
  const early = attempt === 0 && state.attempt[task] === 1 && state.status[task] === TaskStatus.READY;
  if (state.attempt[task] !== attempt && !early) return undefined;
  const items = state.itemsOf(task);
  if (items !== undefined) return items.settled ? state.fail(task) : undefined;
  // Nothing is tried again in a run that is being cancelled.
  if (retryAfter === undefined || state.phase !== RUNNING) return state.fail(task);
  state.status[task] = TaskStatus.WAITING_RETRY;
  state.waits ??= new Map();
  state.waits.set(task, waitOf(event, retryAfter));
  return [state.scheduleRetry(task)];
}

/** A task will never run. */
export function taskSkipped(state: RunState, task: number, cause: SkipCause): Command[] | undefined {
  const status = state.status[task];
  const byCondition = cause === SkipCause.CONDITION;
  if (status === undefined || status !== (byCondition ? TaskStatus.READY : SKIPPING)) return undefined;
  if (byCondition && state.paused) return undefined;
  state.end(task, TaskStatus.SKIPPED);
  return state.orComplete(state.advance(task, byCondition ? SKIPPED : state.frontier.endOfSkipped(task)));
}

/** The wait before the next attempt is over. */
export function retryDue(state: RunState, task: number, item: number): Command[] | undefined {
  if (state.phase !== RUNNING) return undefined;
  const commands: Command[] = [];
  if (item > 0) {
    const command = state.itemsOf(task)?.due(item);
    if (command === undefined) return undefined;
    if (!state.paused) commands.push(command);
  } else {
    if (state.status[task] !== TaskStatus.WAITING_RETRY) return undefined;
    state.waits?.delete(task);
    state.free(task, commands);
  }
  return commands;
}

/** The items of a task became known. */
export function taskExpanded(state: RunState, { task, count, maxConcurrency }: TaskExpanded): Command[] | undefined {
  const begins = state.phase === RUNNING && !state.paused && state.status[task] === TaskStatus.READY;
  if (!begins || count > MAX_ITEMS) return undefined;
  state.status[task] = TaskStatus.RUNNING;
  const items = new TaskItems({ task, priority: state.priorities[task]!, total: count, limit: maxConcurrency });
  state.items ??= new Map();
  state.items.set(task, items);
  return items.settled ? [state.completeTask(task, items)] : items.fill();
}

/** A task waits for consent. */
export function approvalRequested(
  state: RunState,
  task: number,
  deadlineMs: number | undefined,
): Command[] | undefined {
  const asks = state.phase === RUNNING && !state.paused && state.status[task] === TaskStatus.READY;
  if (!asks || state.consents?.has(task)) return undefined;
  state.status[task] = TaskStatus.WAITING_APPROVAL;
  state.consents ??= new Consents();
  state.consents.request(task, deadlineMs);
  return [state.consents.wait(task)];
}

/** More people may decide. */
export function approvalEscalated(
  state: RunState,
  task: number,
  deadlineMs: number | undefined,
): Command[] | undefined {
  if (!state.undecided(task) || !state.consents!.escalate(task, deadlineMs)) return undefined;
  return [state.consents!.wait(task)];
}

/** Consent was granted or denied, or its time is over. */
export function approvalDecided(state: RunState, task: number, status: ApprovalStatus): Command[] | undefined {
  if (!state.undecided(task)) return undefined;
  if (status === ApprovalStatus.REJECTED || status === ApprovalStatus.EXPIRED) return state.fail(task);
  if (status !== ApprovalStatus.APPROVED) return undefined;
  state.consents!.approve(task);
  state.status[task] = TaskStatus.READY;
  return state.paused ? [] : [state.begin(task)];
}

/** A task was cancelled, and with it all its items. */
export function taskCancelled(state: RunState, task: number): Command[] | undefined {
  const status = state.status[task];
  if (state.phase !== CANCELLING || status === undefined || hasEnded(status)) return undefined;
  state.end(task, TaskStatus.CANCELLED);
  return state.orComplete([]);
}

/** An item ended well. */
export function itemCompleted(state: RunState, { task, item, attempt }: TaskCompleted): Command[] | undefined {
  const items = state.itemsOf(task);
  if (items === undefined || !state.itemUnderWay(items, item) || items.attempt(item) !== attempt) return undefined;
  items.completed(item);
  return state.afterItem(task, items);
}

/** An attempt of an item failed. */
export function itemFailed(
  state: RunState,
  { task, item, attempt, retryAfter }: TaskFailed,
  event: Event,
): Command[] | undefined {
  const items = state.itemsOf(task);
  if (items === undefined || !state.itemUnderWay(items, item)) return undefined;
  const early = attempt === 0 && items.attempt(item) === 1 && items.status(item) === TaskStatus.READY;
  if (items.attempt(item) !== attempt && !early) return undefined;
  if (retryAfter !== undefined && state.phase === RUNNING) return [items.retry(item, waitOf(event, retryAfter))];
  items.fail(item);
  return state.afterItem(task, items);
}

function waitOf({ time }: Event, retryAfter: Duration): Wait {
  const afterMs = Math.max(0, millis(retryAfter));
  return { afterMs, dueMs: (time === undefined ? 0 : millis(time)) + afterMs };
}
