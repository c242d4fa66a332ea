import type { Event, RunStarted } from "@odg/proto/odg/run/v1/run_pb";
import { RunStatus, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { RunPhase } from "@odg/proto/odg/run/v1/snapshot_pb";
import { byPriority, type Command } from "./command.ts";
import { knowsControl, MACHINE_VERSION, type RunState } from "./run-state.ts";
import { millis } from "./wait.ts";

// What the events about a run as a whole do to it, and what is to be done because of them; undefined where an event is refused.

const { UNSPECIFIED: IDLE, RUNNING, DONE } = RunPhase;

/** The run was accepted: what waits for nothing begins. */
export function runStarted(state: RunState, started: RunStarted, { runId, time }: Event): Command[] | undefined {
  if (state.phase !== IDLE || started.machineVersion > MACHINE_VERSION) return undefined;
  state.phase = RUNNING;
  // A journal whose plan is broken can make no step; the run must still end, and say so.
  if (!state.load(started, runId)) return state.complete(RunStatus.FAILED);
  if (state.open === 0) return state.complete(RunStatus.SUCCEEDED);
  const timeout = knowsControl(started) ? started.workflow?.timeout : undefined;
  if (timeout !== undefined) state.deadlineMs = (time === undefined ? 0 : millis(time)) + millis(timeout);
  const commands: Command[] = [];
  for (const task of started.plan!.order) if (state.frontier.isFree(task)) state.free(task, commands);
  return state.withTimeout(commands.sort(byPriority));
}

/** Takes back what has not begun. */
export function runPaused(state: RunState): Command[] | undefined {
  if (state.phase !== RUNNING || state.paused) return undefined;
  state.paused = true;
  const commands: Command[] = [];
  state.status.forEach((status, task) => {
    if (status === TaskStatus.READY) commands.push({ kind: "withdraw", task, item: 0, attempt: state.attempt[task]! });
  });
  for (const items of state.items?.values() ?? []) commands.push(...items.withdraw());
  return commands;
}

/** Dispatches what was held. */
export function runResumed(state: RunState): Command[] | undefined {
  if (state.phase !== RUNNING || !state.paused) return undefined;
  state.paused = false;
  const commands: Command[] = [];
  state.status.forEach((status, task) => {
    if (status === TaskStatus.READY) commands.push(state.begin(task));
  });
  for (const items of state.items?.values() ?? []) commands.push(...items.release());
  return commands.sort(byPriority);
}

/** The run took longer than it may. */
export function runTimedOut(state: RunState): Command[] | undefined {
  if (state.phase !== RUNNING) return undefined;
  state.failed = true;
  return state.cancelOpen();
}

// A fact, even where the machine did not ask for it: terminating a run must always work.
/** The run ended. */
export function runCompleted(state: RunState, status: RunStatus): Command[] {
  state.phase = DONE;
  state.outcome = status;
  return [];
}

/** Someone asked for the cancellation of what is open. */
export function runCancelRequested(state: RunState): Command[] | undefined {
  return state.phase === RUNNING ? state.cancelOpen() : undefined;
}
