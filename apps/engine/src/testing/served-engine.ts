import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type ClosableTransport, connectTransport, type RpcServer, startServer } from "@odg/rpc";
import { DEFAULT_EXPERTS } from "../config.ts";
import { type EngineUnderTest, startEngine } from "./engine-under-test.ts";
import { sampleLake } from "./lake.ts";
import { PROBE_EXPERT } from "./probe.ts";
import { call, type WireAnswer } from "./wire.ts";

/** An engine with all its experts and the probe behind a server, a small lake as its data root, and callers of both. */
export class ServedEngine {
  readonly lake: string;
  /** A folder that is no data root. */
  readonly outside = mkdtempSync(join(tmpdir(), "odg-outside-"));
  readonly engine: EngineUnderTest;
  readonly server: RpcServer;
  readonly runs: Client<typeof RunService>;
  readonly #transport: ClosableTransport;

  private constructor(lake: string, engine: EngineUnderTest, server: RpcServer) {
    this.lake = lake;
    this.engine = engine;
    this.server = server;
    this.#transport = connectTransport(server.h2cUrl);
    this.runs = createClient(RunService, this.#transport);
  }

  static async start(): Promise<ServedEngine> {
    const lake = sampleLake(500);
    const engine = await startEngine({ dataRoots: [lake], experts: [...DEFAULT_EXPERTS, PROBE_EXPERT] });
    const { routes, logger } = engine.engine;
    return new ServedEngine(lake, engine, await startServer({ routes, http1Port: 0, drainMs: 500, logger }));
  }

  /** Calls a method as Connect JSON over HTTP/1.1: `call("RunService/StartRun", {…})`. */
  call(method: string, body: unknown): Promise<WireAnswer> {
    return call(this.server.http1Url ?? "", method, body);
  }

  start(body: unknown): Promise<WireAnswer> {
    return this.call("RunService/StartRun", body);
  }

  /** Starts the onboarding of a dataset. */
  onboard(dataset: string): Promise<WireAnswer> {
    return this.start({ workflow_id: "onboard_dataset", inputs: { dataset } });
  }

  async close(): Promise<void> {
    this.#transport.close();
    await this.server.close();
    await this.engine.close();
    for (const folder of [this.lake, this.outside]) rmSync(folder, { recursive: true, force: true });
  }
}

/** A task of the probe, as people write it. */
export const probeTask = (id: string, more: object = {}) => ({ id, expert: "ProbeExpert", action: "echo", ...more });

/** The body of a StartRun whose one task echoes. */
export const echoes = (workflowId: string) => ({ workflow: { workflow_id: workflowId, tasks: [probeTask("a")] } });
