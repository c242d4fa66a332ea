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
  const ports = { ODG_PORT: "0", ODG_HTTP_PORT: "0" };
  const env = { ODG_EXPERTS: PROBE_EXPERT, ODG_STORE_DIR: join(cwd, "store"), ...ports, ...settings.engine };
  const engine = engineServer({ cwd, env });
  const engineDoor = await doorOf(engine);
  const startGateway = async (ports: { grpc: string; http: string }) => {
    const running = gatewayServer({
      cwd,
      env: {
        ODG_ENGINE_URL: engineDoor.grpc,
        ODG_GATEWAY_PORT: ports.grpc,
        ODG_GATEWAY_HTTP_PORT: ports.http,
        ...settings.gateway,
      },
    });
    return { running, door: await doorOf(running) };
  };
  let gateway = await startGateway({ grpc: "0", http: "0" });
  return {
    engine: engineDoor,
    gateway: gateway.door,
    restartGateway: async () => {
      const { grpc, http } = gateway.door;
      await end(gateway.running);
      gateway = await startGateway({ grpc: new URL(grpc).port, http: new URL(http).port });
    },
    close: async () => {
      await end(gateway.running);
      await end(engine);
      rmSync(cwd, { recursive: true, force: true });
    },
  };
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
