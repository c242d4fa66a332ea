// What a storm has left: every journal and every effect, read off Postgres alone.
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { checkHistory } from "@odg/workflow";
import type { Effect, TestDatabase } from "./database.ts";
import type { Load } from "./load.ts";
import type { Life } from "./storm.ts";

export interface Inspection {
  runs: number;
  /** Tasks and items that had an effect and succeeded. */
  tasks: number;
  events: number;
  /** Calls of the effect, and how many keys they had. */
  effects: { calls: number; keys: number };
  /** Runs that ended otherwise than well. */
  unsuccessful: number;
  /** What must not be. */
  faults: string[];
  /** Milliseconds that each run waited for its next event whenever its engine had been killed. */
  recoveries: number[];
}

export interface InspectionOptions {
  /** The deaths of engines whose runs others went on with. */
  lives?: readonly Life[];
  /** Where the effects were counted, if not in the same database. */
  sink?: TestDatabase;
  /**
   * `allowed` where an attempt may have its effect, under its own key, after another engine has settled the task; and where the times of
   * events cannot be believed.
   */
  late?: "fault" | "allowed";
}

/** Reads what is there and says what is wrong with it. */
export async function inspect(
  database: TestDatabase,
  load: Load,
  { lives = [], sink = database, late = "fault" }: InspectionOptions = {},
): Promise<Inspection> {
  const found: Inspection = {
    runs: 0,
    tasks: 0,
    events: 0,
    effects: { calls: 0, keys: 0 },
    unsuccessful: 0,
    faults: [...load.faults],
    recoveries: [],
  };
  const ids = new Set(await database.runIds());
  for (const { runId, requestId } of load.accepted.values())
    if (!ids.has(runId))
      found.faults.push(`run ${runId} of request ${requestId} was accepted, and there is no trace of it`);
  for (const runId of ids) {
    const events = await database.journalOf(runId);
    const effects = await sink.effectsOf(runId);
    found.runs++;
    const accounts = accountsOf(events);
    found.tasks += accounts.settled.size;
    found.events += events.length;
    found.effects.calls += effects.length;
    found.effects.keys += new Set(effects.map(({ key }) => key)).size;
    found.faults.push(...violationsOf(runId, events), ...accounts.faults, ...effectFaults(accounts, effects, late));
    const last = events.at(-1)?.kind;
    if (last?.case === "runCompleted" && last.value.status !== RunStatus.SUCCEEDED) found.unsuccessful++;
    if (last?.case !== "runCompleted") found.faults.push(`run ${runId} has not ended`);
    found.recoveries.push(...recoveriesOf(runId, events, lives));
  }
  return found;
}

function violationsOf(runId: string, events: readonly Event[]): string[] {
  const violations = checkHistory(events, { nowMs: Date.now() });
  return violations.map(({ rule, seq, message }) => `run ${runId}, event ${seq}: ${rule}: ${message}`);
}

/** Attempts that have effects, as a journal tells of them. */
export interface Accounts {
  /** Keys under which attempts began, by task and item. */
  keys: Map<string, string>;
  /** When the task or item of a key succeeded, in Unix milliseconds. */
  settled: Map<string, number>;
  /** Keys that changed from one attempt to the next. */
  faults: string[];
}

/** What a journal tells of attempts that have effects. */
export function accountsOf(events: readonly Event[]): Accounts {
  const accounts: Accounts = { keys: new Map(), settled: new Map(), faults: [] };
  const silent = new Set<number>();
  for (const { kind, time } of events) {
    if (kind.case === "runStarted")
      kind.value.workflow?.tasks.forEach(({ action }, task) => void (action === "effect" || silent.add(task)));
    if (kind.case === "taskStarted") {
      const { task, item, idempotencyKey } = kind.value;
      const before = accounts.keys.get(`${task}/${item}`) ?? idempotencyKey;
      if (before !== idempotencyKey) accounts.faults.push(`the key ${before} has become ${idempotencyKey}`);
      accounts.keys.set(`${task}/${item}`, idempotencyKey);
    }
    if (kind.case !== "taskCompleted" || silent.has(kind.value.task)) continue;
    const key = accounts.keys.get(`${kind.value.task}/${kind.value.item}`);
    if (key !== undefined && time) accounts.settled.set(key, timestampMs(time));
  }
  return accounts;
}

/** Effects that a journal does not account for: none at all, under a foreign key, or after the task was settled. */
export function effectFaults(
  { keys, settled }: Accounts,
  effects: readonly Effect[],
  late: "fault" | "allowed",
): string[] {
  const faults: string[] = [];
  const known = new Set(keys.values());
  const seen = new Set(effects.map(({ key }) => key));
  for (const { key, at, attempt } of effects) {
    if (!known.has(key)) faults.push(`an effect has the key ${key}, and no attempt that began has it`);
    const settledAt = settled.get(key);
    if (late === "fault" && settledAt !== undefined && at > settledAt)
      faults.push(`attempt ${attempt} of ${key} had an effect ${at - settledAt} ms after the task was settled`);
  }
  for (const key of settled.keys()) if (!seen.has(key)) faults.push(`the task of ${key} succeeded without an effect`);
  return faults;
}

/**
 * For each death of an engine that this run survived: the wait for its next event. Where the engine came back under its name it counts
 * from the start of that process; where it did not, from its death.
 */
export function recoveriesOf(runId: string, events: readonly Event[], lives: readonly Life[]): number[] {
  const times = events.map(({ time }) => (time ? timestampMs(time) : 0));
  return lives.flatMap((life, i) => {
    if (life.killedAt === undefined || !life.runs?.includes(runId)) return [];
    const heirs = lives.slice(i + 1).filter(({ name }) => name === life.name);
    const from = heirs[0]?.startedAt ?? life.killedAt;
    // Killed before it came to this run: that is for the next start to answer for.
    const until = heirs[1]?.startedAt ?? Number.POSITIVE_INFINITY;
    const next = times.find((time) => time >= from) ?? Number.POSITIVE_INFINITY;
    return next < until ? [next - from] : [];
  });
}

/** The value below which this share of them lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
