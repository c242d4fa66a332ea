import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mustRun, runCommand } from "../run-command.ts";
import { SERVICE_VARIABLES } from "./endpoints.ts";
import type { Service, ServiceEnv } from "./service.ts";
import { CACHE_FOLDER } from "./state.ts";

const MODULE = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";
const BIN = join(CACHE_FOLDER, "bin");
const PATH = join(BIN, "grpcurl");

/** A gRPC client that is none of ours: a program and no server, so starting it only tells the tests where it is. */
export const grpcurl: Service = { name: "grpcurl", install, start, running, stop };

async function install(): Promise<string> {
  if (!existsSync(PATH)) {
    if ((await runCommand("go", ["version"])).code !== 0) throw new Error("grpcurl needs Go 1.24 or newer to be built");
    await mkdir(BIN, { recursive: true });
    await mustRun("go", ["install", MODULE], { env: { ...process.env, GOBIN: BIN }, timeoutMs: 600_000 });
  }
  return `grpcurl ${MODULE.split("@")[1]}`;
}

async function start(): Promise<ServiceEnv> {
  if (!existsSync(PATH)) throw new Error("grpcurl is not installed; run `npm run services -- install grpcurl`");
  return { [SERVICE_VARIABLES.grpcurl]: PATH };
}

async function running(): Promise<boolean> {
  return existsSync(PATH);
}

async function stop(): Promise<void> {}
