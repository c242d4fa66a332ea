import type { Event, Run } from "@odg/proto/odg/run/v1/run_pb";
import type { Kysely } from "kysely";
import type { Connections } from "./connections.ts";
import { SqlDrafts } from "./drafts-sql.ts";
import { SqlExperts } from "./experts-sql.ts";
import { SqlJournal } from "./journal-sql.ts";
import type { EngineLease, Lease } from "./lease.ts";
import { SqlLeases } from "./leases-sql.ts";
import { SqlRuns } from "./runs-sql.ts";
import { SqlSchedules } from "./schedules-sql.ts";
import type { Append, ApprovalFilter, ExpertRecord, ListedApproval, RunFilter, Store, StoredRun } from "./store.ts";
import type { Tables } from "./tables.ts";
import { SqlVersions } from "./versions-sql.ts";

/** Everything in SQL, through whatever dialect of Postgres: its parts, one file each, put together. */
export class SqlStore implements Store {
  readonly versions: SqlVersions;
  readonly drafts: SqlDrafts;
  readonly schedules: SqlSchedules;
  #db: Kysely<Tables>;
  #connections: Connections;
  #journal: SqlJournal;
  #runs: SqlRuns;
  #leases: SqlLeases;
  #experts: SqlExperts;

  /** @param db Tables that are up to date. It is closed with the store, as are the connections. */
  constructor(db: Kysely<Tables>, connections: Connections) {
    this.#db = db;
    this.#connections = connections;
    this.#journal = new SqlJournal(connections);
    this.#runs = new SqlRuns(db);
    this.#leases = new SqlLeases(db, connections);
    this.#experts = new SqlExperts(db);
    this.versions = new SqlVersions(db);
    this.drafts = new SqlDrafts(db);
    this.schedules = new SqlSchedules(db);
  }

  append(append: Append): Promise<void> {
    return this.#journal.append(append);
  }

  readEvents(runId: string, afterSeq: bigint, limit?: number): Promise<Event[]> {
    return this.#runs.events(runId, afterSeq, limit);
  }

  readRun(runId: string): Promise<StoredRun | undefined> {
    return this.#runs.replayable(runId);
  }

  getBlob(digest: string): Promise<Uint8Array | undefined> {
    return this.#runs.blob(digest);
  }

  getRun(runId: string): Promise<Run | undefined> {
    return this.#runs.get(runId);
  }

  listRuns(filter: RunFilter): Promise<Run[]> {
    return this.#runs.list(filter);
  }

  listApprovals(filter: ApprovalFilter): Promise<ListedApproval[]> {
    return this.#runs.approvals(filter);
  }

  findRequest(requestId: string): Promise<{ runId: string; hash: string } | undefined> {
    return this.#runs.ofRequest(requestId);
  }

  async attach({ name }: { name: string }): Promise<EngineLease> {
    const lease = await this.#leases.attach(name);
    this.#journal.owner = lease;
    return lease;
  }

  async takeRuns(limit: number, except: readonly string[] = []): Promise<Lease[]> {
    const { owner } = this.#journal;
    if (!owner) throw new Error("attach an engine before it takes runs");
    const leases = await this.#leases.take(owner, { limit, except, doubtful: this.#journal.doubtful() });
    this.#journal.settle(leases.map(({ runId }) => runId));
    return leases;
  }

  giveBack(lease: Lease): Promise<void> {
    return this.#leases.giveBack(lease);
  }

  sendRequest(request: { runId: string; kind: string; body: Uint8Array }): Promise<bigint> {
    return this.#leases.send(request);
  }

  readAnswer(requestId: bigint): Promise<Uint8Array | undefined> {
    return this.#leases.readAnswer(requestId);
  }

  serving(): boolean {
    return this.#leases.serving();
  }

  putExpert(expert: ExpertRecord): Promise<ExpertRecord> {
    return this.#experts.put(expert);
  }

  listExperts(): Promise<ExpertRecord[]> {
    return this.#experts.list();
  }

  updateExpert(expertId: string, change: Parameters<Store["updateExpert"]>[1]): Promise<void> {
    return this.#experts.update(expertId, change);
  }

  async close(): Promise<void> {
    await this.#journal.idle();
    await this.#experts.close();
    await this.#leases.close();
    await this.#connections.close();
    await this.#db.destroy();
  }
}
