import { randomUUID } from "node:crypto";
import { clone, create, equals } from "@bufbuild/protobuf";
import { type Schedule, ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import type { Clock } from "../clock.ts";
import type { KeptSchedule, ScheduleStore } from "../store/schedules.ts";
import type { Workflows } from "../workflows.ts";
import { type Times, timesOf } from "./cron.ts";
import { changed } from "./turn.ts";

/** The schedules as their owners see them: kept, read, changed, forgotten. The Timekeeper works on them by the clock. */
export class Schedules {
  #store: ScheduleStore;
  #workflows: Pick<Workflows, "get">;
  #clock: Clock;

  constructor(options: { store: ScheduleStore; workflows: Pick<Workflows, "get">; clock: Clock }) {
    this.#store = options.store;
    this.#workflows = options.workflows;
    this.#clock = options.clock;
  }

  /**
   * Keeps a schedule; the same one again answers the first.
   *
   * @throws ConnectError: FIELD_FORMAT, NOT_FOUND for its workflow, STATE_INVALID where its id is another schedule's.
   */
  async create(given: Schedule): Promise<Schedule> {
    const wanted = ownersPart(given);
    const times = await this.#check(wanted);
    const first = { schedule: create(ScheduleSchema), uid: randomUUID(), revision: 1 };
    const kept = changed(first, { wanted: { ...wanted, etag: randomUUID() }, nowMs: this.#clock.now(), times });
    if (await this.#store.add(kept)) return kept.schedule;
    const there = await this.#store.get(wanted.scheduleId);
    if (there && equals(ScheduleSchema, ownersPart(there.schedule), wanted)) return there.schedule;
    throw reject(Reason.STATE_INVALID, {
      message: "there is another schedule of that id",
      field: "schedule.schedule_id",
      hint: "Update that one, delete it, or take another id.",
    });
  }

  /** @throws ConnectError with NOT_FOUND. */
  async get(scheduleId: string): Promise<Schedule> {
    return (await this.#kept(scheduleId)).schedule;
  }

  /** By id. */
  async list(page: { after?: string; limit: number }): Promise<Schedule[]> {
    return (await this.#store.list(page)).map(({ schedule }) => schedule);
  }

  /** @throws ConnectError: FIELD_FORMAT, NOT_FOUND, ETAG_MISMATCH where somebody else changed it. */
  async update(given: Schedule): Promise<Schedule> {
    if (given.etag === "") {
      throw reject(Reason.FIELD_FORMAT, {
        message: "an update names the etag of the schedule that it replaces",
        field: "schedule.etag",
      });
    }
    const wanted = ownersPart(given);
    const times = await this.#check(wanted);
    const etag = randomUUID();
    for (;;) {
      const before = await this.#kept(wanted.scheduleId);
      if (before.schedule.etag !== given.etag) throw stale("schedule.etag");
      const kept = changed(before, { wanted: { ...wanted, etag }, nowMs: this.#clock.now(), times });
      // Where only an engine was at work meanwhile, the owner's etag still holds and the next try succeeds.
      if (await this.#store.replace(kept)) return kept.schedule;
    }
  }

  /** @throws ConnectError: NOT_FOUND, ETAG_MISMATCH. */
  async delete(scheduleId: string, etag: string): Promise<void> {
    for (;;) {
      const { schedule, revision } = await this.#kept(scheduleId);
      if (etag !== "" && schedule.etag !== etag) throw stale("etag");
      if (await this.#store.remove(scheduleId, revision)) return;
    }
  }

  async #kept(scheduleId: string): Promise<KeptSchedule> {
    const kept = await this.#store.get(scheduleId);
    if (kept) return kept;
    throw reject(Reason.NOT_FOUND, { message: "there is no such schedule", field: "schedule_id" });
  }

  async #check({ cron, timeZone, workflowId, workflowVersion }: Schedule): Promise<Times> {
    const times = timesOf(cron, timeZone);
    if ("field" in times) {
      throw reject(Reason.FIELD_FORMAT, { message: times.message, field: `schedule.${times.field}` });
    }
    await this.#workflows.get(workflowId, workflowVersion);
    return times;
  }
}

/** What the owner of a schedule decides; the rest is the engine's. */
function ownersPart({ scheduleId, cron, timeZone, workflowId, workflowVersion, inputs, overlap, paused }: Schedule) {
  const part = { scheduleId, cron, timeZone, workflowId, workflowVersion, overlap, paused };
  return clone(ScheduleSchema, create(ScheduleSchema, { ...part, ...(inputs === undefined ? {} : { inputs }) }));
}

function stale(field: string) {
  return reject(Reason.ETAG_MISMATCH, { message: "somebody else changed the schedule since it was read", field });
}
