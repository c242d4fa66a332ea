import { setTimeout as sleep } from "node:timers/promises";
import { plainArray } from "./array-literal.ts";
import { commitOf, type Owner } from "./commit-rows.ts";
import type { Connections, Statement } from "./connections.ts";
import { type EncodedAppend, encode } from "./encode.ts";
import { type Groupable, GroupCommit } from "./group-commit.ts";
import { type Append, JournalConflict, LeaseLost } from "./store.ts";
import { isTransient, orStoreError, StoreFull, StoreUnavailable } from "./unavailable.ts";

type Item = EncodedAppend & Groupable;

/** Where the runs of appends that were not kept stand. */
const PLACES: Statement = {
  name: "odg_places",
  text: `
select r.run_id::text, r.fence, r.last_seq, e.event
from runs r left join run_events e on e.run_id = r.run_id and e.seq = r.last_seq
where r.run_id = any($1::uuid[])`,
};

/** Tries of a commit that the database undid because of another one. */
const TRIES = 6;
/** The wait before the second try, in milliseconds, at most; it doubles. */
const FIRST_WAIT_MS = 20;
/** A commit whose answer was lost has come to its end by then: the database bounds the time of a statement. */
const DOUBT_MS = 60_000;

/** The appends of all runs: committed together, in as many lanes as there are connections for it. A run keeps to its lane. */
export class SqlJournal {
  /** The engine that is attached. */
  owner: Owner | undefined;
  #connections: Connections;
  /** Runs that were to begin, but it is not known whether they did; and until when that is worth a look. */
  #doubtful = new Map<string, number>();
  #lanes: GroupCommit<Item>[];

  constructor(connections: Connections) {
    this.#connections = connections;
    this.#lanes = Array.from({ length: connections.lanes }, () => new GroupCommit((batch) => this.#commit(batch)));
  }

  async append(append: Append): Promise<void> {
    const item = { ...encode(append), key: append.runId };
    try {
      await this.#laneOf(append.runId).add(item);
    } catch (error) {
      const first = append.events[0]?.seq === 1n;
      if (first && !(error instanceof JournalConflict)) this.#doubtful.set(append.runId, performance.now() + DOUBT_MS);
      throw error;
    }
  }

  /** Runs that this engine may have begun although it was not told so: nobody drives them. */
  doubtful(): string[] {
    for (const [runId, until] of this.#doubtful) if (until < performance.now()) this.#doubtful.delete(runId);
    return [...this.#doubtful.keys()];
  }

  /** It is known now who drives these. */
  settle(runIds: readonly string[]): void {
    for (const runId of runIds) this.#doubtful.delete(runId);
  }

  /** Resolves when nothing waits to be committed. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
  }

  #laneOf(runId: string): GroupCommit<Item> {
    // The last digits of a UUIDv7 are chosen at random.
    const lane = this.#lanes[Number.parseInt(runId.slice(-6), 16) % this.#lanes.length] ?? this.#lanes[0];
    if (!lane) throw new Error("a journal needs a connection to commit by");
    return lane;
  }

  async #commit(batch: readonly Item[]): Promise<(Error | undefined)[]> {
    try {
      return await this.#commitTogether(batch);
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof StoreFull || !(error instanceof Error)) throw error;
      if (batch.length === 1) return [error];
      // Something in it that the database does not take must not fail the others: it is searched for by halves.
      const half = batch.length >> 1;
      return [...(await this.#commit(batch.slice(0, half))), ...(await this.#commit(batch.slice(half)))];
    }
  }

  async #commitTogether(batch: readonly Item[]): Promise<(Error | undefined)[]> {
    const { statement, parameters } = commitOf(batch, this.owner);
    const rows = await this.#persist(statement, parameters);
    if (rows.length === batch.length) return batch.map(() => undefined);
    const kept = new Set(rows.map(({ n }) => Number(n)));
    const left = batch.filter((_, i) => !kept.has(i + 1));
    const faults = await this.#faultsOf(left);
    return batch.map((item) => faults.get(item.append.runId));
  }

  /** Tries again what the database undid for the sake of another transaction. */
  async #persist(statement: Statement, parameters: readonly unknown[]) {
    for (let wait = FIRST_WAIT_MS, tries = 1; ; wait *= 2, tries++) {
      try {
        return await this.#connections.query(statement, parameters);
      } catch (error) {
        if (!isTransient(error) || tries >= TRIES) throw orStoreError(error);
        await sleep(wait * (0.5 + Math.random() / 2));
      }
    }
  }

  /** Why appends were not kept; nothing for those that were durable before. */
  async #faultsOf(left: readonly Item[]): Promise<Map<string, Error>> {
    const runIds = left.map(({ append }) => append.runId);
    const rows = await this.#persist(PLACES, [plainArray(runIds)]);
    const places = new Map(rows.map((row) => [String(row.run_id), row]));
    const faults = new Map<string, Error>();
    for (const item of left) {
      const { runId } = item.append;
      const fault = faultOf(item, places.get(runId));
      if (fault) faults.set(runId, fault);
    }
    return faults;
  }
}

function faultOf({ append, events }: Item, place: Record<string, unknown> | undefined): Error | undefined {
  const { runId, fence = 0n, request } = append;
  if (!place) {
    return new JournalConflict(request ? `request ${request.id} began a run before` : `run ${runId} was never begun`);
  }
  if (BigInt(String(place.fence)) !== fence) return new LeaseLost(`run ${runId} is driven by another engine`);
  const [last, bytes] = [append.events.at(-1), events.at(-1)];
  const same = last && bytes && BigInt(String(place.last_seq)) === last.seq;
  if (same && place.event instanceof Uint8Array && Buffer.compare(place.event, bytes) === 0) return undefined;
  return new JournalConflict(`run ${runId}: event ${append.events[0]?.seq} does not follow ${place.last_seq}`);
}
