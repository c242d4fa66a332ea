import { create } from "@bufbuild/protobuf";
import { type StartRunRequest, StartRunRequestSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { failureOf, reasonOf } from "@odg/rpc";
import { v5 as uuidv5 } from "uuid";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { asReject } from "../run/failure.ts";
import type { KeptSchedule, ScheduleStore } from "../store/schedules.ts";
import { timesOf } from "./cron.ts";
import { begun, refused, turnOf, unreadable } from "./turn.ts";

/** What the clock needs of the runs. */
export interface ScheduledRuns {
  /** Starts a run for a schedule, or answers the one that the same request began before. */
  start(request: StartRunRequest, scheduleId: string): Promise<string>;
  /** The run that a request began. */
  begunBy(requestId: string): Promise<string | undefined>;
  /** Whether a run is there and has not ended. */
  isOpen(runId: string): Promise<boolean>;
  /** Asks for a run's cancellation; one that has ended stays as it is. */
  cancel(runId: string, reason: string, scheduleId: string): Promise<void>;
}

type Claimed = KeptSchedule & { firingMs: number };
/** What a claimed time came to, told to the schedule as it is by then. */
type Outcome = (now: KeptSchedule) => KeptSchedule;

/** Between two looks at the clock: the delay of a run behind its time, at most. */
const TICK_MS = 1000;
/** Schedules that one engine works on at once. */
const AT_ONCE = 16;
/** Label of the runs that a schedule began. */
export const SCHEDULE_LABEL = "schedule";

/**
 * Begins runs by the clock. Every engine of a store has one; for each time one of them is the first to claim it. The run's request id is made
 * of the schedule and the time: an engine that dies between claim and start leaves a time that another one takes up, and however often
 * it is started it is one run.
 */
export class Timekeeper {
  #schedules: ScheduleStore;
  #runs: ScheduledRuns;
  #clock: Clock;
  #logger: Logger;
  #underWay = new Map<string, Promise<void>>();
  #stopTimer: (() => void) | undefined;
  #stopped = false;
  #readable = true;

  constructor(options: { schedules: ScheduleStore; runs: ScheduledRuns; clock: Clock; logger: Logger }) {
    this.#schedules = options.schedules;
    this.#runs = options.runs;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Looks at the clock from now on. */
  start(): void {
    if (this.#stopped) return;
    this.#stopTimer = this.#clock.after(TICK_MS, () => {
      this.look()
        .then(
          () => this.#saw(true),
          (err: unknown) => this.#saw(false, err),
        )
        .finally(() => this.start());
    });
  }

  /** Begins what is due, without waiting for it to have begun. */
  async look(): Promise<void> {
    for (const kept of await this.#schedules.due(this.#clock.now(), AT_ONCE)) {
      const { scheduleId } = kept.schedule;
      if (this.#stopped || this.#underWay.has(scheduleId) || this.#underWay.size >= AT_ONCE) continue;
      const work = this.#attend(kept)
        .catch((err: unknown) => this.#logger.warn({ scheduleId, err }, "a schedule could not be attended to"))
        .finally(() => this.#underWay.delete(scheduleId));
      this.#underWay.set(scheduleId, work);
    }
  }

  /** Resolves when nothing is being begun. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  /** Begins nothing more. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#stopTimer?.();
    await this.idle();
  }

  /** Says once that the store is away, and once that it is back. */
  #saw(readable: boolean, err?: unknown): void {
    if (readable === this.#readable) return;
    this.#readable = readable;
    if (readable) this.#logger.info("the schedules can be read again");
    else this.#logger.warn({ err }, "the schedules cannot be read; no run begins by the clock meanwhile");
  }

  async #attend(read: KeptSchedule): Promise<void> {
    const { cron, timeZone } = read.schedule;
    const times = timesOf(cron, timeZone);
    if ("field" in times) {
      // It was checked when it was kept; a newer release, or a newer list of time zones, may read it otherwise.
      await this.#schedules.replace(unreadable(read, `${times.field}: ${times.message}`));
      return;
    }
    const before = await this.#confirmed(read);
    const { lastRunId } = before.schedule;
    const busy = lastRunId !== "" && (await this.#runs.isOpen(lastRunId));
    const { kept, fireMs } = turnOf(before, { nowMs: this.#clock.now(), times, busy });
    // Another engine may have been quicker: the time is its own then.
    if (!(await this.#schedules.replace(kept)) || fireMs === undefined) return;
    if (busy && kept.schedule.overlap === "cancel") {
      await this.#runs.cancel(lastRunId, "its schedule begins the next run", kept.schedule.scheduleId);
    }
    await this.#fire({ ...kept, firingMs: fireMs });
  }

  /** With the run of a claimed time whose engine got as far as starting it. */
  async #confirmed(kept: KeptSchedule): Promise<KeptSchedule> {
    if (kept.firingMs === undefined) return kept;
    const runId = await this.#runs.begunBy(requestIdOf(kept, kept.firingMs));
    return runId === undefined ? kept : begun(kept, { runId, nowMs: this.#clock.now() });
  }

  async #fire(kept: Claimed): Promise<void> {
    const { scheduleId } = kept.schedule;
    const time = new Date(kept.firingMs).toISOString();
    const outcome = await this.#startRun(kept).then(
      (runId): Outcome => {
        this.#logger.info({ scheduleId, runId, time }, "a schedule began a run");
        return (now) => begun(now, { runId, nowMs: this.#clock.now() });
      },
      (error: unknown): Outcome => {
        const { message, retryable } = failureOf(asReject(error));
        this.#logger.warn({ scheduleId, time, err: error }, "a schedule could not begin its run");
        return (now) => refused(now, { message, again: retryable, nowMs: this.#clock.now() });
      },
    );
    await this.#settle(kept, outcome);
  }

  async #startRun(kept: Claimed): Promise<string> {
    const { scheduleId, workflowId, workflowVersion, inputs } = kept.schedule;
    const requestId = requestIdOf(kept, kept.firingMs);
    const request = create(StartRunRequestSchema, {
      source: { case: "workflowId", value: workflowId },
      workflowVersion,
      ...(inputs === undefined ? {} : { inputs }),
      requestId,
      labels: { [SCHEDULE_LABEL]: scheduleId },
    });
    try {
      return await this.#runs.start(request, scheduleId);
    } catch (error) {
      // The schedule was changed between the first start and this one: the first one counts.
      const first = reasonOf(error) === Reason.IDEMPOTENCY_CONFLICT ? await this.#runs.begunBy(requestId) : undefined;
      if (first === undefined) throw error;
      return first;
    }
  }

  /** Keeps what came of a claimed time, over whatever its owner changed meanwhile; not where another engine has taken it over. */
  async #settle(claimed: Claimed, outcome: Outcome): Promise<void> {
    for (;;) {
      const now = await this.#schedules.get(claimed.schedule.scheduleId);
      if (now?.uid !== claimed.uid || now.firingMs !== claimed.firingMs) return;
      if (await this.#schedules.replace(outcome(now))) return;
    }
  }
}

/** The request id of the run for a time: a UUID of version 5 in the schedule's own name space. */
export function requestIdOf({ uid }: Pick<KeptSchedule, "uid">, timeMs: number): string {
  return uuidv5(new Date(timeMs).toISOString(), uid);
}
