import { type Kysely, sql } from "kysely";
import type { Owner } from "./commit-rows.ts";
import { type EngineLease, LEASE_MS, RENEW_MS, type RunRequest } from "./lease.ts";
import type { Tables } from "./tables.ts";
import { orStoreError, StoreFull, StoreUnavailable } from "./unavailable.ts";

/** Between two looks at the requests, where no notification came: the connection for those may be lost. */
const LOOK_MS = 750;
/** Between two removals of old requests. */
const SWEEP_MS = 60_000;
/** A renewal that takes longer shows that the database is in trouble. */
const SLOW_RENEWAL_MS = 1000;

/** A membership, renewed until it is closed or lost. */
export class SqlLease implements EngineLease {
  readonly name: string;
  readonly fence: bigint;
  #db: Kysely<Tables>;
  #renewals: NodeJS.Timeout;
  #looks: NodeJS.Timeout;
  #sweeps: NodeJS.Timeout;
  #lost: (() => void) | undefined;
  #listener: ((request: RunRequest) => void) | undefined;
  /** Requests that wait for an answer and were passed on. */
  #heard = new Set<string>();
  #looking = false;
  #lookAgain = false;
  #renewing: number | undefined;
  #healthy = true;
  #ended = false;

  constructor(db: Kysely<Tables>, { name, fence }: Owner) {
    this.#db = db;
    this.name = name;
    this.fence = fence;
    this.#renewals = setInterval(() => void this.#renew(), RENEW_MS).unref();
    this.#looks = setInterval(() => this.look(), LOOK_MS).unref();
    this.#sweeps = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  onLost(callback: () => void): void {
    this.#lost = callback;
  }

  onRequest(callback: (request: RunRequest) => void): void {
    this.#listener = callback;
    this.look();
  }

  async answer(requestId: bigint, answer: Uint8Array): Promise<void> {
    await this.#db
      .updateTable("run_requests")
      .set({ answer })
      .where("request_id", "=", requestId)
      .where("answer", "is", null)
      .execute();
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#end();
    try {
      await this.#db.deleteFrom("engines").where("name", "=", this.name).where("fence", "=", this.fence).execute();
    } catch (error) {
      // Where the database is away the lease runs out by itself.
      if (!(orStoreError(error) instanceof StoreUnavailable)) throw error;
    }
  }

  /** Whether the database took the last renewal in good time. */
  serving(): boolean {
    const late = this.#renewing !== undefined && performance.now() - this.#renewing > SLOW_RENEWAL_MS;
    return this.#healthy && !late;
  }

  /** Looks for requests; once more after a look that is under way. */
  look(): void {
    this.#lookAgain = true;
    if (this.#looking || !this.#listener || this.#ended) return;
    this.#looking = true;
    void this.#lookUntilDone().finally(() => {
      this.#looking = false;
    });
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#lookAgain && !this.#ended) {
      this.#lookAgain = false;
      try {
        await this.#lookOnce();
      } catch {
        // The next look comes soon, and whether the database answers is what the renewals tell.
        return;
      }
    }
  }

  async #lookOnce(): Promise<void> {
    const { rows } = await sql<{ request_id: string; run_id: string; kind: string; body: Uint8Array }>`
      select q.request_id, q.run_id, q.kind, q.body from run_requests q join runs r on r.run_id = q.run_id
      where q.answer is null and r.owner = ${this.name} and r.owner_fence = ${this.fence}
      order by q.request_id`.execute(this.#db);
    const before = this.#heard;
    this.#heard = new Set(rows.map(({ request_id }) => String(request_id)));
    for (const { request_id, run_id, kind, body } of rows) {
      if (before.has(String(request_id))) continue;
      this.#listener?.({ id: BigInt(request_id), runId: run_id, kind, body });
    }
  }

  async #renew(): Promise<void> {
    if (this.#renewing !== undefined) return;
    this.#renewing = performance.now();
    try {
      const { numUpdatedRows } = await this.#db
        .updateTable("engines")
        .set({ lease_until: sql<Date>`now() + ${LEASE_MS} * interval '1 ms'` })
        .where("name", "=", this.name)
        .where("fence", "=", this.fence)
        .executeTakeFirstOrThrow();
      this.#healthy = performance.now() - this.#renewing < SLOW_RENEWAL_MS;
      if (numUpdatedRows === 0n) this.#lose();
    } catch (error) {
      // Whoever asks whether the store serves hears of it; the next renewal comes soon. One that is full can still be read.
      this.#healthy = orStoreError(error) instanceof StoreFull;
    } finally {
      this.#renewing = undefined;
    }
  }

  async #sweep(): Promise<void> {
    try {
      await this.#db
        .deleteFrom("run_requests")
        .where("create_time", "<", sql<Date>`now() - interval '1 hour'`)
        .execute();
    } catch {
      // The next sweep finds the same rows.
    }
  }

  #lose(): void {
    if (this.#ended) return;
    this.#end();
    this.#lost?.();
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#renewals);
    clearInterval(this.#looks);
    clearInterval(this.#sweeps);
  }
}
