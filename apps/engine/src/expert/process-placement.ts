import { type ChildProcessByStdio, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { PROTOCOL_VERSION } from "@odg/expert-plugin-api";
import { type ClosableTransport, connectTransport } from "@odg/rpc";
import type { Logger } from "../logger.ts";
import { lowerProcess } from "../priority.ts";
import type { ExpertPackage } from "./package.ts";
import { PlacementError } from "./placement-error.ts";
import { Output } from "./process-output.ts";
import { reachArguments } from "./process-reach.ts";

/** What a process is started with. */
export interface SpawnOptions {
  readonly expert: ExpertPackage;
  /** Socket of the engine's HostService. */
  readonly hostSocket: string;
  /** Where it is to listen, in a folder that is its own. */
  readonly socketPath: string;
  /** Time to print the handshake. */
  readonly startMs: number;
  readonly logger: Logger;
}

/** An expert in a process that has said where it listens. */
export interface ExpertProcess {
  readonly pid: number;
  readonly transport: ClosableTransport;
  /** How it ended: `exit code 1`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  /** Whether it has ended. */
  readonly gone: boolean;
  /** Asks it to end, and ends it where it does not in time. */
  stop(drainMs: number): Promise<void>;
  /** Ends it and whatever it has started. */
  kill(): void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts an expert in a process group of its own and waits for its handshake.
 *
 * @throws PlacementError where it ends, says something else, or says nothing in time; it is killed then.
 */
export async function spawnExpert(options: SpawnOptions): Promise<ExpertProcess> {
  const { expert, socketPath, startMs, logger } = options;
  const child = start(options);
  const output = new Output(logger, expert.name);
  child.stderr.on("data", (chunk: Buffer) => output.hear(chunk));
  const spawned = new Spawned(child, socketPath);
  try {
    await handshake({ child, spawned, output, startMs, socketPath, plugin: expert.plugin });
    child.stdout.on("data", (chunk: Buffer) => output.hear(chunk));
    // Not before: on a busy machine it would not come up in its time.
    lowerProcess(spawned.pid);
  } catch (error) {
    spawned.kill();
    spawned.transport.close();
    throw error;
  }
  void spawned.exited.then((how) => output.ended(how));
  return spawned;
}

function start({ expert, hostSocket, socketPath }: SpawnOptions): Child {
  const launcher = realpathSync(createRequire(import.meta.url).resolve("@odg/expert-plugin-api/serve-process"));
  const conditions = process.execArgv.filter((argument) => /^(--conditions=|-C)/.test(argument));
  const heap = `--max-old-space-size=${expert.memoryMb}`;
  const reach = reachArguments({ expert, launcher, hostSocket, socketPath });
  return spawn(
    process.execPath,
    [...conditions, heap, ...reach, launcher, pathToFileURL(expert.entry).href, `unix:${hostSocket}`, socketPath],
    {
      cwd: expert.root,
      // A group of its own: it ends with all that it has started, and hears no Ctrl-C that was meant for the engine.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      // Nothing of the engine's own environment: that holds its secrets.
      env: { TMPDIR: dirname(socketPath), TZ: Intl.DateTimeFormat().resolvedOptions().timeZone },
    },
  );
}

class Spawned implements ExpertProcess {
  readonly #child: Child;
  readonly transport: ClosableTransport;
  readonly exited: Promise<string>;
  gone = false;

  constructor(child: Child, socketPath: string) {
    this.#child = child;
    this.transport = connectTransport(`unix:${socketPath}`);
    // Its end closes when the expert ends; that is told by `exited`.
    child.stdin.on("error", () => undefined);
    this.exited = new Promise((resolve) => {
      const over = (how: string) => {
        this.gone = true;
        this.transport.close();
        resolve(how);
      };
      child.once("error", (error: NodeJS.ErrnoException) => over(`it could not be started: ${error.code}`));
      child.once("exit", (code, signal) => {
        this.#killGroup();
        over(signal ? `signal ${signal}` : `exit code ${code}`);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(drainMs: number): Promise<void> {
    if (this.gone) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), drainMs);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    if (!this.gone && this.#child.exitCode === null && this.#child.signalCode === null) this.#killGroup();
  }

  /**
   * Called while the leader lives, or in the very moment in which its end is told: its number is not given to another process then, and
   * not at all while one of its group lives.
   */
  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      // Nobody is left in the group.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

interface Handshake {
  child: Child;
  spawned: Spawned;
  output: Output;
  startMs: number;
  socketPath: string;
  plugin: string;
}

/** What an expert may print before the handshake. */
const GARBAGE_BYTES = 64 * 1024;

async function handshake({ child, spawned, output, startMs, socketPath, plugin }: Handshake): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let heard = "";
  let bytes = 0;
  const hear = (chunk: Buffer) => {
    bytes += chunk.byteLength;
    const lines = (heard + chunk.toString("utf8")).split("\n");
    heard = lines.pop() ?? "";
    const line = lines.find((one) => /^\d+\|\d+\|/.test(one));
    for (const other of lines) if (other !== line) output.line(other);
    if (line !== undefined) settle(() => check(line));
    else if (bytes > GARBAGE_BYTES)
      settle(() => fail(`printed ${GARBAGE_BYTES / 1024} KiB to standard output, and no handshake`));
  };
  const fail = (what: string): never => {
    throw new PlacementError(`${plugin} ${what}${output.places()}`);
  };
  const check = (line: string) => {
    if (line.trim() !== `1|${PROTOCOL_VERSION}|unix|${socketPath}|grpc`)
      fail(`says a handshake that this engine does not understand: "${line.slice(0, 80)}"`);
  };
  const settle = (outcome: () => void) => {
    try {
      outcome();
      resolve();
    } catch (error) {
      reject(error);
    }
  };
  child.stdout.on("data", hear);
  const timer = setTimeout(
    () => settle(() => fail(`did not say where it listens within ${startMs / 1000} s`)),
    startMs,
  );
  void spawned.exited.then((how) => settle(() => fail(`ended before it said where it listens: ${how}`)));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    child.stdout.off("data", hear);
  }
}
