import { type Kysely, sql } from "kysely";
import { SpacedWrites } from "./spaced-writes.ts";
import type { ExpertRecord, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

type Change = Parameters<Store["updateExpert"]>[1];

/** Between two updates of one expert. */
const PAUSE_MS = 500;

/** The experts as the registry knows them, in SQL. */
export class SqlExperts {
  #db: Kysely<Tables>;
  #updates = new SpacedWrites<Change>(PAUSE_MS, (expertId, change) => this.#update(expertId, change));

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

  /** Resolves when it is kept, which may take a moment: every task that ends changes the mean of its expert. */
  async update(expertId: string, change: Change): Promise<void> {
    if (Object.keys(change).length === 0) return;
    // Whoever looks for an expert should know at once that it is gone.
    await this.#updates.add(expertId, change, change.status === "offline");
  }

  /** Resolves when all updates are kept, or could not be. */
  async close(): Promise<void> {
    await this.#updates.flush();
  }

  async #update(expertId: string, { averageLatencyMs, status }: Change): Promise<void> {
    const set = {
      ...(averageLatencyMs === undefined ? {} : { average_latency_ms: averageLatencyMs }),
      ...(status === undefined ? {} : { status }),
    };
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
