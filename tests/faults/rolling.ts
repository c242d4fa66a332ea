// F24: two engines on one Postgres, restarted in turn by SIGTERM while a load goes on.
import { mkdtempSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { createClient, type OdgClient } from "@odg/client";
import { PROBE_EXPERT, workflowOf } from "@odg/engine/testing";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { TestDatabase } from "../crash/database.ts";
import { engineServer, type Running } from "../odg.ts";

/** An engine that can be stopped and started again on its port. */
export class Replica {
  readonly port: number;
  private readonly databaseUrl: string;
  private readonly cwd = mkdtempSync(join(tmpdir(), "odg-replica-"));
  private running: Running | undefined;

  constructor(port: number, databaseUrl: string) {
    this.port = port;
    this.databaseUrl = databaseUrl;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const env = {
      ODG_PORT: String(this.port),
      ODG_HTTP_PORT: "0",
      ODG_EXPERTS: PROBE_EXPERT,
      ODG_DATABASE_URL: this.databaseUrl,
      ODG_POOL_THREADS: "1",
      ODG_DRAIN_MS: "10000",
      ODG_LOG_LEVEL: "info",
    };
    this.running = engineServer({ cwd: this.cwd, env });
    await this.running.said(/"engine is ready"/);
  }

  /** Stops in order. @throws Error with its last words, where it does not end well. */
  async stop(): Promise<void> {
    this.running?.process.kill("SIGTERM");
    const ended = await this.running?.ended;
    this.running = undefined;
    if (ended?.code !== 0) throw new Error(`the engine ended with ${ended?.code}: ${ended?.stderr.slice(-2000)}`);
  }

  kill(): void {
    this.running?.process.kill("SIGKILL");
  }
}

/** Two engines on a database of their own. */
export class Pair {
  readonly replicas: readonly [Replica, Replica];
  private readonly database: TestDatabase;

  private constructor(database: TestDatabase, ports: readonly [number, number]) {
    this.database = database;
    const [first, second] = ports;
    this.replicas = [new Replica(first, database.url), new Replica(second, database.url)];
  }

  static async start(postgresUrl: string): Promise<Pair> {
    const pair = new Pair(await TestDatabase.create(postgresUrl), [await freePort(), await freePort()]);
    for (const replica of pair.replicas) await replica.start();
    return pair;
  }

  /** Restarts each in turn, with a pause behind each in which clients find it again. */
  async roll(pauseMs = 0): Promise<void> {
    for (const replica of this.replicas) {
      await replica.stop();
      await replica.start();
      await sleep(pauseMs);
    }
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) replica.kill();
    await this.database.drop();
  }
}

/** What a load came to. */
export interface Load {
  answered: number;
  /** Runs that were begun. */
  readonly runIds: string[];
  /** What failed, as one line each. */
  readonly failures: string[];
  /** Milliseconds of each request. */
  readonly latencies: number[];
}

/** Sends requests through so many hands at once, until it is told to end. Nine of ten read, and the tenth starts a run. */
export function beginLoad(client: OdgClient, hands: number): { load: Load; end(): Promise<Load> } {
  const load: Load = { answered: 0, runIds: [], failures: [], latencies: [] };
  const workflow = workflowOf([{ id: "a", expert: "ProbeExpert", action: "echo" }], "rolling");
  const state = { going: true, sent: 0 };
  const ask = async (number: number) => {
    const known = load.runIds.at(-1);
    if (number % 10 === 0 || !known) {
      const { run } = await client.runs.startRun({
        source: { case: "workflow", value: workflow },
        requestId: crypto.randomUUID(),
      });
      load.runIds.push(run?.runId ?? "");
    } else if (number % 3 === 0) await client.runs.listRuns({ pageSize: 2 });
    else await client.runs.getRun({ runId: known });
  };
  const work = async () => {
    while (state.going) {
      const began = performance.now();
      try {
        await ask(state.sent++);
        load.answered++;
      } catch (error) {
        load.failures.push(lineOf(error));
      }
      load.latencies.push(performance.now() - began);
    }
  };
  const working = Array.from({ length: hands }, work);
  return {
    load,
    end: async () => {
      state.going = false;
      await Promise.all(working);
      return load;
    },
  };
}

function lineOf(error: unknown): string {
  const { code, message, cause } = ConnectError.from(error);
  return `${code} ${message} (${cause instanceof Error ? cause.message : ""})`;
}

/** Runs of these that have not succeeded. */
export async function unfinished(client: OdgClient, runIds: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const runId of runIds) {
    const { run } = await client.runs.getRun({ runId });
    if (run?.status !== RunStatus.SUCCEEDED) left.push(runId);
  }
  return left;
}

/** A port that was free a moment ago: an engine comes back on the port it had. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A client that balances over both. */
export function balancedClient({ replicas: [first, second] }: Pair): OdgClient {
  return createClient({ urls: [first.url, second.url] });
}
