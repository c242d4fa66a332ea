import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ScheduleSchema } from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { type Kysely, type Selectable, sql } from "kysely";
import type { KeptSchedule, ScheduleStore } from "./schedules.ts";

/** The tables of {@link SqlSchedules}. */
export interface ScheduleTables {
  schedules: {
    schedule_id: string;
    uid: string;
    revision: number;
    schedule: Uint8Array;
    wake_time: Date | null;
    firing_time: Date | null;
    queued_time: Date | null;
  };
}

type Row = Selectable<ScheduleTables["schedules"]>;

/** In SQL: each change is one statement, which the database decides. */
export class SqlSchedules implements ScheduleStore {
  #db: Kysely<ScheduleTables>;

  constructor(db: Kysely<ScheduleTables>) {
    this.#db = db;
  }

  async add(kept: KeptSchedule): Promise<boolean> {
    const inserted = await this.#db
      .insertInto("schedules")
      .values(rowOf(kept))
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }

  async get(scheduleId: string): Promise<KeptSchedule | undefined> {
    const row = await this.#db
      .selectFrom("schedules")
      .selectAll()
      .where("schedule_id", "=", scheduleId)
      .executeTakeFirst();
    return row && read(row);
  }

  async list({ after = "", limit }: { after?: string; limit: number }): Promise<KeptSchedule[]> {
    const rows = await this.#db
      .selectFrom("schedules")
      .selectAll()
      .where(sql<string>`schedule_id collate "C"`, ">", after)
      .orderBy(sql`schedule_id collate "C"`)
      .limit(limit)
      .execute();
    return rows.map(read);
  }

  async due(nowMs: number, limit: number): Promise<KeptSchedule[]> {
    const rows = await this.#db
      .selectFrom("schedules")
      .selectAll()
      .where("wake_time", "<=", new Date(nowMs))
      .orderBy("wake_time")
      .limit(limit)
      .execute();
    return rows.map(read);
  }

  async replace(kept: KeptSchedule): Promise<boolean> {
    const updated = await this.#db
      .updateTable("schedules")
      .set(rowOf({ ...kept, revision: kept.revision + 1 }))
      .where("schedule_id", "=", kept.schedule.scheduleId)
      .where("uid", "=", kept.uid)
      .where("revision", "=", kept.revision)
      .executeTakeFirst();
    return updated.numUpdatedRows === 1n;
  }

  async remove(scheduleId: string, revision: number): Promise<boolean> {
    const deleted = await this.#db
      .deleteFrom("schedules")
      .where("schedule_id", "=", scheduleId)
      .where("revision", "=", revision)
      .executeTakeFirst();
    return deleted.numDeletedRows === 1n;
  }
}

function rowOf({ schedule, uid, revision, wakeMs, firingMs, queuedMs }: KeptSchedule): Row {
  return {
    schedule_id: schedule.scheduleId,
    uid,
    revision,
    schedule: toBinary(ScheduleSchema, schedule),
    wake_time: dateOf(wakeMs),
    firing_time: dateOf(firingMs),
    queued_time: dateOf(queuedMs),
  };
}

function read(row: Row): KeptSchedule {
  return {
    schedule: fromBinary(ScheduleSchema, row.schedule),
    uid: row.uid,
    revision: row.revision,
    wakeMs: row.wake_time?.getTime(),
    firingMs: row.firing_time?.getTime(),
    queuedMs: row.queued_time?.getTime(),
  };
}

function dateOf(ms: number | undefined): Date | null {
  return ms === undefined ? null : new Date(ms);
}
