import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { EngineLease, Lease, RunRequest } from "../store/lease.ts";
import type { Leases } from "../store/store.ts";

/** Between two looks for runs that nobody drives. */
const LOOK_MS = 1000;
/** Runs that are taken at once, and those of them that are read at once. */
const TAKEN = 100;
const READ = 8;
/** Until a run that could not be taken up is tried again; doubled each time. */
const AGAIN_MS = 1000;
const LONGEST_AGAIN_MS = 60_000;

/** What a membership is made with. */
export interface MembershipOptions {
  store: Leases;
  /** An engine that starts under the name of one that died goes on with its runs at once. */
  name: string;
  clock: Clock;
  logger: Logger;
  /** Takes up a run that this engine drives from now on. */
  takeUp(lease: Lease): Promise<void>;
  /** What this engine answers to a request for a run that it drives. */
  answer(request: RunRequest): Promise<Uint8Array>;
  /** Another engine has taken this one's name and all its runs. */
  lost(): void;
}

/** A run that only a newer engine understands: this one leaves it alone. */
export class NotForThisEngine extends Error {
  override readonly name = "NotForThisEngine";
}

/** An engine among those that share a store: its fence, the runs it takes over, and what the others ask of it. */
export class Membership {
  #options: MembershipOptions;
  #lease: EngineLease | undefined;
  #lost = false;
  #notForUs = new Set<string>();
  #closed = false;
  #callOff: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  /** Calls off what is to be tried again. */
  #again = new Set<() => void>();

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** @throws StoreUnavailable */
  async join(): Promise<void> {
    const { store, name, logger, answer, lost } = this.#options;
    const lease = await store.attach({ name });
    this.#lease = lease;
    lease.onLost(() => {
      this.#lost = true;
      for (const callOff of this.#again) callOff();
      logger.error({ name }, "another engine runs under this name; this one drives nothing any more");
      lost();
    });
    lease.onRequest((request) => {
      answer(request)
        .then((said) => lease.answer(request.id, said))
        .catch((err: unknown) => logger.error({ runId: request.runId, err }, "a request was not answered"));
    });
  }

  /** For the runs that this engine begins. @throws ConnectError with UNAVAILABLE where it may not begin any */
  get fence(): bigint {
    if (this.#lease && !this.#lost) return this.#lease.fence;
    throw reject(Reason.UNAVAILABLE, { message: "another engine runs under the name of this one", retryAfterMs: 1000 });
  }

  /** Takes up what nobody drives, as long as there is something. */
  async takeAll(): Promise<void> {
    for (let taken = TAKEN; taken === TAKEN && !this.#closed && !this.#lost; ) {
      const leases = await this.#options.store.takeRuns(TAKEN, [...this.#notForUs]);
      taken = leases.length;
      const next = leases.values();
      // One iterator for all of them: each reader takes the next lease that no other has taken.
      const read = async () => {
        for (const lease of next) await this.#takeUp(lease);
      };
      await Promise.all(Array.from({ length: READ }, read));
    }
  }

  /** Looks for such runs from now on. */
  watch(): void {
    if (this.#closed) return;
    const { clock, logger } = this.#options;
    this.#callOff = clock.after(LOOK_MS, () => {
      this.#looking = this.takeAll()
        .catch((err: unknown) => logger.warn({ err }, "runs that nobody drives could not be looked for"))
        .then(() => this.watch());
    });
  }

  /** Takes nothing more. The lease lasts until {@link leave}, so that nobody else goes on before this engine has stopped. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    for (const callOff of this.#again) callOff();
    await this.#looking;
  }

  /** Other engines may take the runs at once. */
  async leave(): Promise<void> {
    await this.#lease?.close();
  }

  /** It stays this engine's run where that fails: nobody else would take it, so it is tried again, beside everything else. */
  async #takeUp(lease: Lease, againMs = AGAIN_MS): Promise<void> {
    const { logger, clock } = this.#options;
    try {
      await this.#takeUpOrLeave(lease);
    } catch (err) {
      logger.error({ runId: lease.runId, err }, "a run could not be taken up; trying again");
      const callOff = clock.after(againMs, () => {
        this.#again.delete(callOff);
        void this.#takeUp(lease, Math.min(2 * againMs, LONGEST_AGAIN_MS));
      });
      this.#again.add(callOff);
    }
  }

  async #takeUpOrLeave(lease: Lease): Promise<void> {
    const { takeUp, logger, store } = this.#options;
    try {
      await takeUp(lease);
    } catch (err) {
      if (!(err instanceof NotForThisEngine)) throw err;
      logger.warn({ runId: lease.runId, err }, "a run is left to another engine");
      this.#notForUs.add(lease.runId);
      await store.giveBack(lease);
    }
  }
}
