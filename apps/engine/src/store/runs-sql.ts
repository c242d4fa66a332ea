import { fromBinary } from "@bufbuild/protobuf";
import { PendingApprovalSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import {
  ApprovalStatus,
  type Event,
  EventSchema,
  type Run,
  RunSchema,
  RunStatus,
  TaskStateSchema,
  TaskStatus,
} from "@odg/proto/odg/run/v1/run_pb";
import { type Kysely, sql } from "kysely";
import { joinParts, labelsOf } from "./run-row.ts";
import type { ApprovalFilter, ListedApproval, RunFilter, StoredRun } from "./store.ts";
import type { Tables } from "./tables.ts";

const OPEN = [RunStatus.RUNNING, RunStatus.PAUSED];

/** What is kept of the runs, for readers. */
export class SqlRuns {
  #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async events(runId: string, afterSeq: bigint, limit?: number): Promise<Event[]> {
    let query = this.#db
      .selectFrom("run_events")
      .select("event")
      .where("run_id", "=", runId)
      .where("seq", ">", afterSeq)
      .orderBy("seq");
    if (limit !== undefined) query = query.limit(limit);
    return (await query.execute()).map(({ event }) => fromBinary(EventSchema, event));
  }

  async replayable(runId: string): Promise<StoredRun | undefined> {
    const row = await this.#db
      .selectFrom("run_snapshots")
      .select(["seq", "snapshot"])
      .where("run_id", "=", runId)
      .executeTakeFirst();
    const snapshot = row && { seq: BigInt(row.seq), bytes: row.snapshot };
    const events = await this.events(runId, snapshot?.seq ?? 0n);
    if (!snapshot && events.length === 0) return undefined;
    return { ...(snapshot ? { snapshot } : {}), events };
  }

  async get(runId: string): Promise<Run | undefined> {
    const row = await this.#db
      .selectFrom("runs")
      .select(["run", "varying", "first_tasks"])
      .where("run_id", "=", runId)
      .executeTakeFirst();
    if (!row) return undefined;
    const run = joinParts(row.run, row.varying);
    const changed = await this.#db
      .selectFrom("run_tasks")
      .select(["task", "state"])
      .where("run_id", "=", runId)
      .orderBy("task")
      .execute();
    run.tasks = fromBinary(RunSchema, row.first_tasks).tasks;
    for (const { task, state } of changed) run.tasks[task] = fromBinary(TaskStateSchema, state);
    return run;
  }

  async list(filter: RunFilter): Promise<Run[]> {
    const { workflowId, status, user, labels, createdFromMs, createdBeforeMs, before, limit } = filter;
    const byTime = createdFromMs !== undefined || createdBeforeMs !== undefined;
    let query = this.#db.selectFrom("runs as r").select(["r.run", "r.varying"]).limit(limit);
    // Ids sort by time as well, but only this order lets an index find both the period and what is newest in it.
    if (byTime) query = query.orderBy("r.create_time", "desc");
    query = query.orderBy("r.run_id", "desc");
    labelsOf(labels ?? {}).forEach((label, i) => {
      const alias = `l${i}` as "l0";
      query = query.innerJoin(`run_labels as ${alias}`, (join) =>
        join.onRef(`${alias}.run_id`, "=", "r.run_id").on(`${alias}.label`, "=", label),
      );
    });
    if (workflowId) query = query.where("r.workflow_id", "=", workflowId);
    if (status) query = query.where("r.status", "=", status);
    if (user) query = query.where("r.user_name", "=", user);
    if (createdFromMs !== undefined) query = query.where("r.create_time", ">=", new Date(createdFromMs));
    if (createdBeforeMs !== undefined) query = query.where("r.create_time", "<", new Date(createdBeforeMs));
    if (before && byTime) {
      query = query.where(
        sql<boolean>`(r.create_time, r.run_id) < (select create_time, run_id from runs where run_id = ${before}::uuid)`,
      );
    } else if (before) query = query.where("r.run_id", "<", before);
    return (await query.execute()).map(({ run, varying }) => joinParts(run, varying));
  }

  async approvals({ status, runId, after, limit }: ApprovalFilter): Promise<ListedApproval[]> {
    let query = this.#db
      .selectFrom("approvals as a")
      .innerJoin("run_tasks as t", (join) => join.onRef("t.run_id", "=", "a.run_id").onRef("t.task", "=", "a.task"))
      .innerJoin("runs as r", "r.run_id", "a.run_id")
      .select(["a.run_id", "a.task", "a.request_time", "a.approval"])
      .where(({ eb, or, and }) =>
        or([
          eb("a.status", "!=", ApprovalStatus.PENDING),
          and([eb("t.status", "=", TaskStatus.WAITING_APPROVAL), eb("r.status", "in", OPEN)]),
        ]),
      )
      .orderBy("a.request_time")
      .orderBy("a.run_id")
      .orderBy("a.task")
      .limit(limit);
    if (status) query = query.where("a.status", "=", status);
    if (runId) query = query.where("a.run_id", "=", runId);
    if (after) {
      const time = new Date(after.requestMs);
      query = query.where(
        sql<boolean>`(a.request_time, a.run_id, a.task) > (${time}::timestamptz, ${after.runId}::uuid, ${after.task}::int)`,
      );
    }
    return (await query.execute()).map((row) => ({
      place: { requestMs: row.request_time.getTime(), runId: row.run_id, task: row.task },
      approval: fromBinary(PendingApprovalSchema, row.approval),
    }));
  }

  async blob(digest: string): Promise<Uint8Array | undefined> {
    const row = await this.#db
      .selectFrom("blobs")
      .select("bytes")
      .where("digest", "=", Buffer.from(digest, "hex"))
      .executeTakeFirst();
    return row?.bytes;
  }

  async ofRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined> {
    const row = await this.#db
      .selectFrom("runs")
      .select(["run_id", "request_hash"])
      .where("request_id", "=", requestId)
      .executeTakeFirst();
    return row && { runId: row.run_id, hash: row.request_hash ?? "" };
  }
}
