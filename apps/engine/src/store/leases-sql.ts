import { type Kysely, sql } from "kysely";
import type { Owner } from "./commit-rows.ts";
import type { Connections } from "./connections.ts";
import { LEASE_MS, type Lease, type RunRequest } from "./lease.ts";
import { SqlLease } from "./lease-sql.ts";
import type { Tables } from "./tables.ts";

/** Told of when a request is sent. */
const CHANNEL = "odg_run_requests";

/** What is taken. */
export interface Taking {
  limit: number;
  /** Runs that are left to others. */
  except: readonly string[];
  /** Runs that this engine may have begun although it was not told so. */
  doubtful: readonly string[];
}

/** Which engine drives which run. */
export class SqlLeases {
  #db: Kysely<Tables>;
  #connections: Connections;
  #lease: SqlLease | undefined;
  #listening: Promise<void> | undefined;

  constructor(db: Kysely<Tables>, connections: Connections) {
    this.#db = db;
    this.#connections = connections;
  }

  async attach(name: string): Promise<SqlLease> {
    const { rows } = await sql<{ fence: string }>`
      insert into engines (name, fence, lease_until) values (${name}, nextval('fences'), now() + ${LEASE_MS} * interval '1 ms')
      on conflict (name) do update set fence = excluded.fence, lease_until = excluded.lease_until
      returning fence`.execute(this.#db);
    this.#lease = new SqlLease(this.#db, { name, fence: BigInt(rows[0]?.fence ?? 0) });
    this.#listening ??= this.#connections.listen(CHANNEL, () => this.#lease?.look());
    await this.#listening;
    return this.#lease;
  }

  async take({ name, fence }: Owner, { limit, except, doubtful }: Taking): Promise<Lease[]> {
    const { rows } = await sql<{ run_id: string; fence: string }>`
      update runs set owner = ${name}, owner_fence = ${fence}, fence = nextval('fences')
      where run_id in (
        select r.run_id from runs r left join engines e on e.name = r.owner
        where r.status in (1, 5) and r.run_id <> all(${[...except]}::uuid[]) and (
          (r.owner is null or r.owner <> ${name}) and (e.name is null or e.lease_until < now())
          or r.owner = ${name} and (r.owner_fence < ${fence} or r.run_id = any(${[...doubtful]}::uuid[]))
        )
        order by r.run_id limit ${limit} for update of r skip locked
      )
      returning run_id, fence`.execute(this.#db);
    return rows
      .map(({ run_id, fence }) => ({ runId: run_id, fence: BigInt(fence) }))
      .sort((a, b) => (a.runId < b.runId ? -1 : 1));
  }

  async giveBack({ runId, fence }: Lease): Promise<void> {
    await this.#db
      .updateTable("runs")
      .set({ owner: null })
      .where("run_id", "=", runId)
      .where("fence", "=", fence)
      .execute();
  }

  async send({ runId, kind, body }: Omit<RunRequest, "id">): Promise<bigint> {
    const { rows } = await sql<{ request_id: string }>`
      with sent as (
        insert into run_requests (run_id, kind, body) values (${runId}, ${kind}, ${body}) returning request_id
      )
      select request_id, pg_notify(${CHANNEL}, '') from sent`.execute(this.#db);
    return BigInt(rows[0]?.request_id ?? 0);
  }

  async readAnswer(requestId: bigint): Promise<Uint8Array | undefined> {
    const row = await this.#db
      .deleteFrom("run_requests")
      .where("request_id", "=", requestId)
      .where("answer", "is not", null)
      .returning("answer")
      .executeTakeFirst();
    return row?.answer ?? undefined;
  }

  serving(): boolean {
    return this.#lease?.serving() ?? true;
  }

  /** Ends the membership, should whoever has it not have done so. */
  async close(): Promise<void> {
    await this.#lease?.close();
  }
}
