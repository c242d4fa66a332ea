import { create } from "@bufbuild/protobuf";
import type { RunStarted } from "@odg/proto/odg/run/v1/run_pb";
import { type MachineState, MachineStateSchema } from "@odg/proto/odg/run/v1/snapshot_pb";
import { Consents } from "./consent.ts";
import { TaskItems } from "./items.ts";
import { hasEnded, MACHINE_VERSION, RunState } from "./run-state.ts";
import { waitsFromProto, waitsToProto } from "./wait.ts";

/** What a machine is made of again. */
export interface MachineSnapshot {
  /** The content of the run's first event. */
  started: RunStarted;
  runId: string;
  state: MachineState;
}

/** Where a run stands, as a message. */
export function stateToProto(state: RunState): MachineState {
  const { phase, paused, failed, outcome, lastSeq, deadlineMs } = state;
  return create(MachineStateSchema, {
    phase,
    paused,
    failed,
    outcome,
    lastSeq,
    deadlineMs,
    ...state.frontier.state(),
    statuses: Uint8Array.from(state.status),
    attempts: state.attempt.slice(),
    retries: waitsToProto(state.waits),
    consents: state.consents?.state() ?? [],
    items: [...(state.items?.values() ?? [])].map((items) => items.state()),
  });
}

/** Where a run stands, by a message; undefined where that does not fit the run. */
export function stateFromProto({ started, runId, state: from }: MachineSnapshot): RunState | undefined {
  const state = new RunState();
  if (started.machineVersion > MACHINE_VERSION || !state.load(started, runId)) return undefined;
  const lists = [from.statuses, from.attempts, from.waitsFor];
  if (lists.some(({ length }) => length !== state.status.length)) return undefined;
  const { phase, paused, failed, outcome, lastSeq, deadlineMs } = from;
  Object.assign(state, { phase, paused, failed, outcome, lastSeq, deadlineMs });
  state.status = [...from.statuses];
  state.attempt = from.attempts.slice();
  state.open = state.status.filter((status) => !hasEnded(status)).length;
  state.frontier.restore(from);
  state.waits = waitsFromProto(from.retries);
  if (from.consents.length > 0) state.consents = Consents.restore(from.consents);
  for (const items of from.items) {
    state.items ??= new Map();
    state.items.set(items.task, TaskItems.restore(items, state.priorities[items.task] ?? 0));
  }
  return state;
}
