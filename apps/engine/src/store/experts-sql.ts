import { type Kysely, sql } from "kysely";
import type { ExpertRecord, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** The experts as the registry knows them, in SQL. */
export class SqlExperts {
  #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async put(expert: ExpertRecord): Promise<ExpertRecord> {
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

  async list(): Promise<ExpertRecord[]> {
    const rows = await this.#db
      .selectFrom("experts")
      .selectAll()
      .orderBy(sql`expert_name collate "C"`)
      .orderBy(sql`version collate "C"`)
      .execute();
    return rows.map(expertRecord);
  }

  async update(expertId: string, change: Parameters<Store["updateExpert"]>[1]): Promise<void> {
    const set = {
      ...(change.averageLatencyMs === undefined ? {} : { average_latency_ms: change.averageLatencyMs }),
      ...(change.status === undefined ? {} : { status: change.status }),
    };
    if (Object.keys(set).length === 0) return;
    await this.#db.updateTable("experts").set(set).where("expert_id", "=", expertId).execute();
  }
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
