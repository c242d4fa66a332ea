import { type Event, type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { MemoryDrafts } from "./drafts.ts";
import type { EngineLease, Lease, RunRequest } from "./lease.ts";
import { MemorySchedules } from "./schedules.ts";
import type { ExpertRecord, StoredSnapshot } from "./store.ts";
import { MemoryVersions } from "./versions.ts";

/** A run as it is kept in memory. */
export interface KeptRun {
  events: Event[];
  run: Run;
  fence: bigint;
  /** The membership under which it is driven; absent where no engine was attached. */
  owner?: MemoryLease | undefined;
  snapshot?: StoredSnapshot | undefined;
}

/** What one or several memory stores of this process share, as engines share a Postgres. */
export class MemoryDatabase {
  readonly runs = new Map<string, KeptRun>();
  readonly requestIds = new Map<string, { runId: string; hash: string }>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly experts = new Map<string, ExpertRecord>();
  readonly versions = new MemoryVersions();
  readonly drafts = new MemoryDrafts();
  readonly schedules = new MemorySchedules();
  readonly answers = new Map<bigint, Uint8Array>();
  #engines = new Map<string, MemoryLease>();
  #waiting = new Map<bigint, RunRequest>();
  #fence = 0n;
  #requests = 0n;

  attach(name: string): MemoryLease {
    this.#engines.get(name)?.lose();
    const lease = new MemoryLease(this, name, ++this.#fence);
    this.#engines.set(name, lease);
    return lease;
  }

  /** As if the engine had not renewed its lease in time. It may still append to runs that nobody took. */
  expire(name: string): void {
    this.#engines.delete(name);
  }

  take(owner: MemoryLease, limit: number, except: readonly string[]): Lease[] {
    return [...this.runs.values()]
      .filter(({ run }) => isOpen(run.status) && !except.includes(run.runId))
      .filter((kept) => this.#isLeft(kept, owner))
      .sort((a, b) => (a.run.runId < b.run.runId ? -1 : 1))
      .slice(0, limit)
      .map((kept) => {
        kept.owner = owner;
        kept.fence = ++this.#fence;
        owner.hear([...this.#waiting.values()].filter(({ runId }) => runId === kept.run.runId));
        return { runId: kept.run.runId, fence: kept.fence };
      });
  }

  /** Whether no living engine drives it: a former self of this one, or one that is gone. */
  #isLeft({ owner }: KeptRun, heir: MemoryLease): boolean {
    if (owner?.name === heir.name) return owner !== heir;
    return !owner || !this.#engines.has(owner.name);
  }

  send(request: Omit<RunRequest, "id">): bigint {
    const id = ++this.#requests;
    const sent = { ...request, id };
    this.#waiting.set(id, sent);
    this.runs.get(request.runId)?.owner?.hear([sent]);
    return id;
  }

  answer(id: bigint, answer: Uint8Array): void {
    if (this.#waiting.delete(id)) this.answers.set(id, answer);
  }
}

/** Whether a run in this status may go on. */
export function isOpen(status: RunStatus): boolean {
  return status === RunStatus.RUNNING || status === RunStatus.PAUSED;
}

/** A membership that lasts until it is closed, or its name is attached again. */
export class MemoryLease implements EngineLease {
  readonly name: string;
  readonly fence: bigint;
  #database: MemoryDatabase;
  #lost: (() => void) | undefined;
  #listener: ((request: RunRequest) => void) | undefined;
  #unheard: RunRequest[] = [];

  constructor(database: MemoryDatabase, name: string, fence: bigint) {
    this.#database = database;
    this.name = name;
    this.fence = fence;
  }

  onLost(callback: () => void): void {
    this.#lost = callback;
  }

  onRequest(callback: (request: RunRequest) => void): void {
    this.#listener = callback;
    this.hear(this.#unheard.splice(0));
  }

  /** Passes requests on, or keeps them until somebody listens. */
  hear(requests: readonly RunRequest[]): void {
    for (const request of requests) {
      if (this.#listener) this.#listener(request);
      else this.#unheard.push(request);
    }
  }

  async answer(requestId: bigint, answer: Uint8Array): Promise<void> {
    this.#database.answer(requestId, answer);
  }

  async close(): Promise<void> {
    this.#database.expire(this.name);
  }

  /** Another engine has the name. */
  lose(): void {
    this.#lost?.();
    this.#lost = undefined;
  }
}
