import { clone } from "@bufbuild/protobuf";
import { type Schedule, ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";

/** A schedule and how far the engines are with it. Times are Unix milliseconds. */
export interface KeptSchedule {
  /** As people see it. */
  schedule: Schedule;
  /** A UUID: tells this schedule from earlier ones of its id. The request ids of its runs are made of it. */
  uid: string;
  /** Grows with every change, the engines' own included. */
  revision: number;
  /** When an engine has to look at it; absent for never. */
  wakeMs?: number | undefined;
  /** The time whose run an engine has claimed to start, until it is known to have started or not. */
  firingMs?: number | undefined;
  /** A time that waits for the end of the run before. */
  queuedMs?: number | undefined;
}

/** The schedules that several engines work on: who replaces what it has read is the only one to do so. */
export interface ScheduleStore {
  /** Keeps a new schedule; false where its id is taken. */
  add(kept: KeptSchedule): Promise<boolean>;
  get(scheduleId: string): Promise<KeptSchedule | undefined>;
  /** By id. */
  list(page: { after?: string; limit: number }): Promise<KeptSchedule[]>;
  /** Those that have to be looked at by now, the longest overdue first. */
  due(nowMs: number, limit: number): Promise<KeptSchedule[]>;
  /** Keeps it with the next revision, where the one that is kept has still the revision of `kept`; else answers false. */
  replace(kept: KeptSchedule): Promise<boolean>;
  /** Forgets it, where it still has this revision; else answers false. */
  remove(scheduleId: string, revision: number): Promise<boolean>;
}

/** In this process. */
export class MemorySchedules implements ScheduleStore {
  #schedules = new Map<string, KeptSchedule>();

  async add(kept: KeptSchedule): Promise<boolean> {
    const { scheduleId } = kept.schedule;
    if (this.#schedules.has(scheduleId)) return false;
    this.#schedules.set(scheduleId, copy(kept));
    return true;
  }

  async get(scheduleId: string): Promise<KeptSchedule | undefined> {
    const found = this.#schedules.get(scheduleId);
    return found && copy(found);
  }

  async list({ after = "", limit }: { after?: string; limit: number }): Promise<KeptSchedule[]> {
    return [...this.#schedules]
      .filter(([id]) => id > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([, kept]) => copy(kept));
  }

  async due(nowMs: number, limit: number): Promise<KeptSchedule[]> {
    return [...this.#schedules.values()]
      .filter(({ wakeMs }) => wakeMs !== undefined && wakeMs <= nowMs)
      .sort((a, b) => (a.wakeMs ?? 0) - (b.wakeMs ?? 0))
      .slice(0, limit)
      .map(copy);
  }

  async replace(kept: KeptSchedule): Promise<boolean> {
    const { scheduleId } = kept.schedule;
    const there = this.#schedules.get(scheduleId);
    if (there?.uid !== kept.uid || there.revision !== kept.revision) return false;
    this.#schedules.set(scheduleId, { ...copy(kept), revision: kept.revision + 1 });
    return true;
  }

  async remove(scheduleId: string, revision: number): Promise<boolean> {
    return this.#schedules.get(scheduleId)?.revision === revision && this.#schedules.delete(scheduleId);
  }
}

function copy(kept: KeptSchedule): KeptSchedule {
  return { ...kept, schedule: clone(ScheduleSchema, kept.schedule) };
}
