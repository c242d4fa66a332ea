import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { equals } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type DescribeResponse, DescribeResponseSchema, ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { ownReason, reject } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import { describe } from "./description.ts";
import { HEALTH_EVERY_MS, isServing, repeat } from "./health-watch.ts";
import type { ExpertPackage } from "./package.ts";
import { PlacementError } from "./placement-error.ts";
import { type ExpertProcess, spawnExpert } from "./process-placement.ts";
import type { ExpertInstance } from "./registry.ts";
import { watchedTransport } from "./watched-transport.ts";

/** How patient a supervisor is. */
export interface Patience {
  /** Time to print the handshake. */
  readonly startMs: number;
  readonly healthEveryMs: number;
  /** First wait before a crashed expert is started again; it doubles with each crash, up to the longest. */
  readonly backOffMs: number;
  readonly longestBackOffMs: number;
  /** So many crashes in that time, and it is not started again. */
  readonly crashes: number;
  readonly crashesWithinMs: number;
  /** Time in quarantine before it is tried once more. */
  readonly coolDownMs: number;
  /**
   * Time without an answer to health after which it is ended: while it works on no task, or on one that was taken from it, and while it
   * works on others.
   */
  readonly stuckIdleMs: number;
  readonly stuckBusyMs: number;
  /** Time to end by itself when the engine closes. */
  readonly drainMs: number;
}

/** After hashicorp/go-plugin and the rules of reliability: ten seconds to start, five crashes in a minute. */
export const PATIENCE: Patience = {
  startMs: 10_000,
  healthEveryMs: HEALTH_EVERY_MS,
  backOffMs: 200,
  longestBackOffMs: 10_000,
  crashes: 5,
  crashesWithinMs: 60_000,
  coolDownMs: 300_000,
  stuckIdleMs: 5_000,
  stuckBusyMs: 30_000,
  drainMs: 5_000,
};

/** What a supervised process is made with. */
export interface SupervisorOptions {
  readonly expert: ExpertPackage;
  /** Socket of the engine's HostService. */
  readonly hostSocket: string;
  readonly socketPath: string;
  readonly logger: Logger;
  /** Told whenever it went or came back. */
  readonly changed: () => void;
  readonly patience?: Patience;
}

/** While it is `quarantined` or on `probation` no task waits for it. */
type State = "starting" | "ready" | "stuck" | "waiting" | "quarantined" | "probation" | "closed";

/** An expert in a process: started, watched, started again after a crash, and quarantined after too many. */
export class SupervisedProcess implements ExpertInstance {
  id = "";
  load = 0;
  readonly packageRoot = "";
  readonly client: Client<typeof ExpertService>;
  trouble?: string;
  readonly #options: SupervisorOptions;
  readonly #patience: Patience;
  #state: State = "starting";
  #running: ExpertProcess | undefined;
  #description: DescribeResponse | undefined;
  #crashes: number[] = [];
  /** When it answered last, and when a task was last taken from it before its end. */
  #answered = 0;
  #abandoned = 0;
  #misses = 0;
  #looking: Promise<void> | undefined;
  /** Ends the cool-down of a quarantine. */
  #coolDown: AbortController | undefined;
  #stopWatch: () => void = () => undefined;
  readonly #closing = new AbortController();

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.client = createClient(
      ExpertService,
      watchedTransport({
        current: () => this.#transport(),
        explained: (error) => this.#explained(error),
        abandoned: () => this.#abandonedCall(),
      }),
    );
  }

  /**
   * Starts an expert for the first time.
   * @throws PlacementError that says why it cannot be used.
   */
  static async start(
    options: SupervisorOptions,
  ): Promise<{ instance: SupervisedProcess; description: DescribeResponse }> {
    const instance = new SupervisedProcess(options);
    const description = await instance.#launch();
    return { instance, description };
  }

  get healthy(): boolean {
    return this.#state === "ready";
  }

  get recovering(): boolean {
    return this.#state === "starting" || this.#state === "waiting" || this.#state === "stuck";
  }

  /** Process that it runs in now; undefined between two. */
  get pid(): number | undefined {
    return this.#running?.gone ? undefined : this.#running?.pid;
  }

  /** Ends a quarantine before its time; answers whether there was one. What the start comes to, its state tells. */
  async revive(): Promise<boolean> {
    if (this.#state !== "quarantined") return false;
    this.#coolDown?.abort();
    await this.#probe();
    return true;
  }

  async close(): Promise<void> {
    this.#state = "closed";
    this.#closing.abort();
    this.#stopWatch();
    await this.#running?.stop(this.#patience.drainMs);
  }

  async #launch(): Promise<DescribeResponse> {
    const { expert, hostSocket, socketPath, logger } = this.#options;
    const { startMs } = this.#patience;
    const running = await spawnExpert({ expert, hostSocket, socketPath, startMs, logger });
    this.#running = running;
    try {
      const client = createClient(ExpertService, running.transport);
      const description = await describe(client, expert.plugin, expert.version);
      if (this.#description && !equals(DescribeResponseSchema, description, this.#description))
        throw new PlacementError(`${expert.plugin} describes itself otherwise than when the engine started it`);
      this.#description = description;
    } catch (error) {
      running.kill();
      throw error;
    }
    if (this.#closing.signal.aborted) await running.stop(this.#patience.drainMs);
    else this.#ready(running);
    return this.#description;
  }

  #ready(running: ExpertProcess): void {
    this.#answered = performance.now();
    this.#misses = 0;
    delete this.trouble;
    this.#stopWatch = repeat(() => this.#look(running), this.#patience.healthEveryMs);
    void running.exited.then((how) => this.#crashed(how));
    this.#become("ready");
  }

  #become(state: State): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#options.changed();
  }

  #look(running: ExpertProcess): Promise<void> {
    this.#looking ??= this.#lookNow(running).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(running: ExpertProcess): Promise<void> {
    const [serving, memory] = await Promise.all([isServing(running.transport), residentBytes(running.pid)]);
    if (running.gone || this.#state === "closed") return;
    const { expert, logger } = this.#options;
    if (memory > mostMemory(expert)) {
      logger.warn({ expert: this.id, memory }, "an expert uses more memory than it may: it is ended");
      running.kill();
    } else if (serving) {
      this.#misses = 0;
      this.#answered = performance.now();
      this.#become("ready");
    } else {
      this.#become("stuck");
      this.#misses++;
      const silent = performance.now() - this.#answered;
      const { stuckIdleMs, stuckBusyMs } = this.#patience;
      const heedless = this.#abandoned > this.#answered;
      // Never for a single miss: a machine that was asleep finds all its clocks late.
      if (this.#misses < 2 || silent < (this.load > 0 && !heedless ? stuckBusyMs : stuckIdleMs)) return;
      logger.warn({ expert: this.id, silentMs: Math.round(silent) }, "an expert does not answer: it is ended");
      running.kill();
    }
  }

  /** A deadline has passed, or a run was cancelled: it gets no further task before it shows that it is not stuck in the old one. */
  #abandonedCall(): void {
    const running = this.#running;
    this.#abandoned = performance.now();
    if (!running || running.gone || this.#state !== "ready") return;
    this.#become("stuck");
    void this.#look(running);
  }

  #crashed(how: string): void {
    this.#stopWatch();
    if (this.#state === "closed") return;
    const { crashes, crashesWithinMs } = this.#patience;
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < crashesWithinMs), now];
    const { logger } = this.#options;
    if (this.#crashes.length >= crashes) {
      this.#quarantine(how);
      return;
    }
    const waitMs = this.#backOff();
    logger.warn({ expert: this.id, how, crashes: this.#crashes.length, waitMs }, "an expert crashed");
    this.#become("waiting");
    void this.#startAgain(waitMs);
  }

  #quarantine(how: string): void {
    const { crashes, crashesWithinMs, coolDownMs } = this.#patience;
    this.trouble = `it crashed ${crashes} times in ${crashesWithinMs / 1000} s and is not started again for ${coolDownMs / 1000} s`;
    this.#options.logger.error({ expert: this.id, how, coolDownMs }, "an expert is quarantined");
    this.#become("quarantined");
    const coolDown = new AbortController();
    this.#coolDown = coolDown;
    const signal = AbortSignal.any([coolDown.signal, this.#closing.signal]);
    void sleep(coolDownMs, undefined, { signal }).then(
      () => this.#probe(),
      () => undefined, // Somebody was quicker, or the engine closes.
    );
  }

  /** One start: where it succeeds the expert is back, and one more crash within the time of the five is one too many. */
  async #probe(): Promise<void> {
    this.#become("probation");
    const now = performance.now();
    this.#crashes = Array.from({ length: this.#patience.crashes - 1 }, () => now);
    try {
      await this.#launch();
      this.#options.logger.info({ expert: this.id }, "an expert is back from quarantine");
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.#quarantine(error instanceof PlacementError ? error.message : "no handshake");
    }
  }

  #backOff(): number {
    const { backOffMs, longestBackOffMs } = this.#patience;
    const ceiling = Math.min(longestBackOffMs, backOffMs * 2 ** (this.#crashes.length - 1));
    // Jitter, so that many experts that fell together do not rise together.
    return Math.round(ceiling * (0.5 + Math.random() / 2));
  }

  async #startAgain(waitMs: number): Promise<void> {
    try {
      await sleep(waitMs, undefined, { signal: this.#closing.signal });
      await this.#launch();
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.#crashed(error instanceof PlacementError ? error.message : "no handshake");
    }
  }

  #transport(): Transport {
    const running = this.#running;
    if (running && !running.gone) return running.transport;
    throw this.#unavailable("is not running");
  }

  /** An error of the connection, where the process has ended, as what it is. */
  async #explained(error: unknown): Promise<unknown> {
    if (error instanceof ConnectError && ownReason(error) !== undefined) return error;
    const running = this.#running;
    // The connection breaks a moment before the end of the process is told.
    const how = await Promise.race([running?.exited, sleep(500)]);
    return how ? this.#unavailable(`ended while it worked on the task (${how})`, error) : error;
  }

  #unavailable(what: string, cause?: unknown): ConnectError {
    return reject(Reason.EXPERT_UNAVAILABLE, { message: `${this.id} ${what}`, retryable: true, cause });
  }
}

/** What the threads of its workers may use each, and what stands beside the heaps: code, buffers, stacks. */
const THREAD_MB = 512;
const BESIDE_MB = 256;

/** Bytes beyond which a process is ended. */
function mostMemory({ memoryMb }: ExpertPackage): number {
  return (memoryMb + THREAD_MB * availableParallelism() + BESIDE_MB) * 2 ** 20;
}

const PAGE_BYTES = 4096;

/** Resident memory; 0 where the system does not tell (https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html). */
async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "");
  return Number(text.split(" ")[1] ?? 0) * PAGE_BYTES;
}
