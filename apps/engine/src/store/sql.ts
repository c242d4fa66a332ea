import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type PublishedWorkflow, PublishedWorkflowSchema } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Event, EventSchema, type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { type Dialect, type Generated, Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { type Claims, soleClaims } from "./claims.ts";
import { GroupCommit } from "./group-commit.ts";
import { migrations } from "./migrations.ts";
import { withoutOutputs } from "./run-row.ts";
import { type Append, type ExpertRecord, JournalConflict, type RunFilter, type Store } from "./store.ts";
import { orUnavailable, StoreUnavailable } from "./unavailable.ts";

interface Tables {
  runs: {
    run_id: string;
    workflow_id: string;
    workflow_version: string;
    status: number;
    create_time: Date;
    end_time: Date | null;
    last_seq: bigint;
    request_id: string | null;
    request_hash: string | null;
    run: Uint8Array;
  };
  run_events: { run_id: string; seq: bigint; kind: string; event: Uint8Array };
  workflows: { workflow_id: string; version: string; place: Generated<bigint>; published: Uint8Array };
  experts: {
    expert_id: string;
    expert_name: string;
    version: string;
    capabilities: string[];
    model_backend: string;
    max_concurrent_tasks: number;
    average_latency_ms: number;
    status: string;
    placement: string;
    package_name: string;
    permissions: string;
    digest: string;
    publisher: string;
    approval: string;
  };
}

type Db = Kysely<Tables>;

/** Rows of one INSERT: four parameters each, far below Postgres' 65,535. */
const ROWS_PER_INSERT = 1000;

/** Everything in SQL, through whatever dialect of Postgres. Appends of many runs are committed together. */
export class SqlStore implements Store {
  #db: Db;
  #claims: Claims;
  #commits: GroupCommit<Append>;

  private constructor(db: Db, claims: Claims) {
    this.#db = db;
    this.#claims = claims;
    this.#commits = new GroupCommit((appends) => this.#commit(appends));
  }

  /**
   * Connects and brings the tables up to date; several engines may do so at once.
   *
   * @throws StoreUnavailable where the database does not answer; Error where its tables cannot be brought up to date
   */
  static async open(dialect: Dialect, claims: Claims = soleClaims): Promise<SqlStore> {
    const db = new Kysely<Tables>({ dialect });
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error } = await migrator.migrateToLatest();
    if (error) {
      await db.destroy();
      await claims.close();
      const away = orUnavailable(error);
      if (away instanceof StoreUnavailable) throw away;
      throw new Error("the database's tables could not be brought up to date", { cause: error });
    }
    return new SqlStore(db, claims);
  }

  append(append: Append): Promise<void> {
    return this.#commits.add(append);
  }

  async #commit(appends: Append[]): Promise<void> {
    try {
      await this.#db.transaction().execute(async (db) => {
        await insertEvents(db, appends);
        await upsertRuns(db, appends);
      });
    } catch (error) {
      throw isUniqueViolation(error)
        ? new JournalConflict("another writer was first", { cause: error })
        : orUnavailable(error);
    }
  }

  async readEvents(runId: string, afterSeq: bigint): Promise<Event[]> {
    const rows = await this.#db
      .selectFrom("run_events")
      .select("event")
      .where("run_id", "=", runId)
      .where("seq", ">", afterSeq)
      .orderBy("seq")
      .execute();
    return rows.map(({ event }) => fromBinary(EventSchema, event));
  }

  async getRun(runId: string): Promise<Run | undefined> {
    const row = await this.#db.selectFrom("runs").select("run").where("run_id", "=", runId).executeTakeFirst();
    return row && fromBinary(RunSchema, row.run);
  }

  async listRuns({ workflowId, status, before, limit }: RunFilter): Promise<Run[]> {
    let query = this.#db.selectFrom("runs").select("run").orderBy("run_id", "desc").limit(limit);
    if (workflowId) query = query.where("workflow_id", "=", workflowId);
    if (status) query = query.where("status", "=", status);
    if (before) query = query.where("run_id", "<", before);
    return (await query.execute()).map(({ run }) => fromBinary(RunSchema, run));
  }

  async unfinishedRuns(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("runs")
      .select("run_id")
      .where("status", "=", RunStatus.RUNNING)
      .orderBy("run_id")
      .execute();
    return rows.map(({ run_id }) => run_id);
  }

  async findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined> {
    const row = await this.#db
      .selectFrom("runs")
      .select(["run_id", "request_hash"])
      .where("request_id", "=", requestId)
      .executeTakeFirst();
    return row && { runId: row.run_id, hash: row.request_hash ?? "" };
  }

  async publishWorkflow(published: PublishedWorkflow): Promise<PublishedWorkflow> {
    const workflowId = published.workflow?.workflowId ?? "";
    await this.#db
      .insertInto("workflows")
      .values({
        workflow_id: workflowId,
        version: published.version,
        published: toBinary(PublishedWorkflowSchema, published),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await this.getWorkflow(workflowId, published.version)) ?? published;
  }

  async getWorkflow(workflowId: string, version?: string): Promise<PublishedWorkflow | undefined> {
    let query = this.#db
      .selectFrom("workflows")
      .select("published")
      .where("workflow_id", "=", workflowId)
      .orderBy("place", "desc")
      .limit(1);
    if (version) query = query.where("version", "=", version);
    const row = await query.executeTakeFirst();
    return row && fromBinary(PublishedWorkflowSchema, row.published);
  }

  async listWorkflows({ after = "", limit }: { after?: string; limit: number }): Promise<PublishedWorkflow[]> {
    const rows = await this.#db
      .selectFrom("workflows")
      .distinctOn(sql`workflow_id collate "C"`)
      .select("published")
      .where(sql<string>`workflow_id collate "C"`, ">", after)
      .orderBy(sql`workflow_id collate "C"`)
      .orderBy("place", "desc")
      .limit(limit)
      .execute();
    return rows.map(({ published }) => fromBinary(PublishedWorkflowSchema, published));
  }

  async putExpert(expert: ExpertRecord): Promise<ExpertRecord> {
    const { average_latency_ms, ...row } = expertRow(expert);
    await this.#db
      .insertInto("experts")
      .values({ ...row, average_latency_ms })
      .onConflict((conflict) => conflict.column("expert_id").doUpdateSet(row))
      .execute();
    const kept = await this.#db
      .selectFrom("experts")
      .selectAll()
      .where("expert_id", "=", expert.expertId)
      .executeTakeFirstOrThrow();
    return expertRecord(kept);
  }

  async listExperts(): Promise<ExpertRecord[]> {
    const rows = await this.#db
      .selectFrom("experts")
      .selectAll()
      .orderBy(sql`expert_name collate "C"`)
      .orderBy(sql`version collate "C"`)
      .execute();
    return rows.map(expertRecord);
  }

  async updateExpert(expertId: string, change: Parameters<Store["updateExpert"]>[1]): Promise<void> {
    const set = {
      ...(change.averageLatencyMs === undefined ? {} : { average_latency_ms: change.averageLatencyMs }),
      ...(change.status === undefined ? {} : { status: change.status }),
    };
    if (Object.keys(set).length === 0) return;
    await this.#db.updateTable("experts").set(set).where("expert_id", "=", expertId).execute();
  }

  claim(runId: string): Promise<boolean> {
    return this.#claims.claim(runId);
  }

  release(runId: string): Promise<void> {
    return this.#claims.release(runId);
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#claims.close();
    await this.#db.destroy();
  }
}

async function insertEvents(db: Db, appends: Append[]): Promise<void> {
  const rows = appends.flatMap(({ runId, events }) =>
    events.map((event) => ({
      run_id: runId,
      seq: event.seq,
      kind: event.kind.case ?? "",
      event: toBinary(EventSchema, event),
    })),
  );
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    await db
      .insertInto("run_events")
      .values(rows.slice(start, start + ROWS_PER_INSERT))
      .execute();
  }
}

async function upsertRuns(db: Db, appends: Append[]): Promise<void> {
  // One statement may touch a row once: of several appends of a run the last one counts, with the first one's request.
  const newest = new Map<string, Append>();
  for (const append of appends) {
    newest.set(append.runId, { ...append, request: append.request ?? newest.get(append.runId)?.request });
  }
  const rows = [...newest.values()].map(({ runId, run, request }) => ({
    run_id: runId,
    workflow_id: run.workflowId,
    workflow_version: run.workflowVersion,
    status: run.status,
    create_time: run.createTime ? timestampDate(run.createTime) : new Date(0),
    end_time: dateOrNull(run.endTime),
    last_seq: run.lastSeq,
    request_id: request?.id ?? null,
    request_hash: request?.hash ?? null,
    run: toBinary(RunSchema, withoutOutputs(run)),
  }));
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    await db
      .insertInto("runs")
      .values(rows.slice(start, start + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.column("run_id").doUpdateSet((row) => ({
          status: row.ref("excluded.status"),
          end_time: row.ref("excluded.end_time"),
          last_seq: row.ref("excluded.last_seq"),
          run: row.ref("excluded.run"),
        })),
      )
      .execute();
  }
}

function dateOrNull(time: Timestamp | undefined): Date | null {
  return time ? timestampDate(time) : null;
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}

function expertRow(expert: ExpertRecord): Tables["experts"] {
  return {
    expert_id: expert.expertId,
    expert_name: expert.expertName,
    version: expert.version,
    capabilities: expert.capabilities,
    model_backend: expert.modelBackend,
    max_concurrent_tasks: expert.maxConcurrentTasks,
    average_latency_ms: expert.averageLatencyMs,
    status: expert.status,
    placement: expert.placement,
    package_name: expert.packageName,
    permissions: expert.permissions,
    digest: expert.digest,
    publisher: expert.publisher,
    approval: expert.approval,
  };
}

function expertRecord(row: Tables["experts"]): ExpertRecord {
  return {
    expertId: row.expert_id,
    expertName: row.expert_name,
    version: row.version,
    capabilities: row.capabilities,
    modelBackend: row.model_backend,
    maxConcurrentTasks: row.max_concurrent_tasks,
    averageLatencyMs: row.average_latency_ms,
    status: row.status as ExpertRecord["status"],
    placement: row.placement as ExpertRecord["placement"],
    packageName: row.package_name,
    permissions: row.permissions,
    digest: row.digest,
    publisher: row.publisher,
    approval: row.approval as ExpertRecord["approval"],
  };
}
