// An engine and a gateway before it, each in a process of its own, as a service or a browser meets them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { PROBE_EXPERT } from "@odg/engine/testing";
import { engineServer, gatewayServer, type Running } from "../odg.ts";

/** Where one of the two listens: gRPC, and anything else by HTTP/1.1. */
export interface Door {
  grpc: string;
  http: string;
}

/** What was started. */
export interface OpenHouse {
  engine: Door;
  gateway: Door;
  /** Ends the gateway, kindly, and starts one on the same ports. */
  restartGateway(): Promise<void>;
  /** Ends the engine as a crash would, and starts one on the same ports and the same store. */
  crashEngine(): Promise<void>;
  close(): Promise<void>;
}

/** The workflow of these tests: two tasks, one after the other, of which the first takes its time. */
export function napThenEcho(ms = 150): JsonObject {
  return {
    workflow_id: "nap_then_echo",
    tasks: [
      { id: "nap", expert: "ProbeExpert", action: "nap", inputs: { ms } },
      { id: "echo", expert: "ProbeExpert", action: "echo", depends_on: ["nap"], inputs: { text: "grüße" } },
    ],
  };
}

/** Kinds of the events of {@link napThenEcho}, in order. */
export const STORY = ["runStarted", "taskStarted", "taskCompleted", "taskStarted", "taskCompleted", "runCompleted"];

/** Further settings of the two. */
export interface Settings {
  engine?: Record<string, string>;
  gateway?: Record<string, string>;
}

/** Starts both on free ports; the engine has the probe expert where its settings name no others. */
export async function openHouse(settings: Settings = {}): Promise<OpenHouse> {
  const cwd = mkdtempSync(join(tmpdir(), "odg-clients-"));
  const startEngine = (door: Door) => {
    const ports = { ODG_PORT: portOf(door.grpc), ODG_HTTP_PORT: portOf(door.http) };
    const env = { ODG_EXPERTS: PROBE_EXPERT, ODG_STORE_DIR: join(cwd, "store"), ...ports, ...settings.engine };
    return serving(engineServer({ cwd, env }));
  };
  let engine = await startEngine(ANYWHERE);
  const startGateway = (door: Door) => {
    const ports = { ODG_GATEWAY_PORT: portOf(door.grpc), ODG_GATEWAY_HTTP_PORT: portOf(door.http) };
    const env = { ODG_ENGINE_URL: engine.door.grpc, ...ports, ...settings.gateway };
    return serving(gatewayServer({ cwd, env }));
  };
  let gateway = await startGateway(ANYWHERE);
  return {
    engine: engine.door,
    gateway: gateway.door,
    restartGateway: async () => {
      await end(gateway.running);
      gateway = await startGateway(gateway.door);
    },
    crashEngine: async () => {
      engine.running.process.kill("SIGKILL");
      await engine.running.ended;
      engine = await startEngine(engine.door);
    },
    close: async () => {
      await end(gateway.running);
      await end(engine.running);
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

const ANYWHERE: Door = { grpc: "http://127.0.0.1:0", http: "http://127.0.0.1:0" };

function portOf(url: string): string {
  return new URL(url).port;
}

async function serving(running: Running): Promise<{ running: Running; door: Door }> {
  return { running, door: await doorOf(running) };
}

async function doorOf(server: Running): Promise<Door> {
  const [, line = ""] = await server.said(/^(.*is ready.*)$/m);
  const { grpc, http } = JSON.parse(line) as Door;
  return { grpc, http };
}

async function end({ process, ended }: Running): Promise<void> {
  process.kill("SIGTERM");
  const { code, stderr } = await ended;
  if (code !== 0) throw new Error(`a server ended with ${code}:\n${stderr}`);
}
