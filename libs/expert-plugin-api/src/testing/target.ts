import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import { connectTransport } from "@odg/rpc";
import type { Expert } from "../expert.ts";
import { handshakeLine } from "../protocol.ts";
import { listenTestHost, TestHost } from "./test-host.ts";

/** An expert under test, wherever it runs and whatever it is written in, and the host that it asks back. */
export interface ConformanceTarget {
  readonly client: Client<typeof ExpertService>;
  /** What the expert reaches as its engine. */
  readonly host: TestHost;
}

/** A target that holds processes or connections. */
export interface ClosableTarget extends ConformanceTarget {
  close(): Promise<void>;
}

/** The expert in this process, over an in-memory transport: placement `module`. */
export function moduleTarget(expert: Expert): ConformanceTarget {
  const host = new TestHost();
  const routes = expert.routes({ host: createRouterTransport(host.routes) });
  return { client: createClient(ExpertService, createRouterTransport(routes)), host };
}

/**
 * An expert that somebody serves at a URL: placement `remote`. The expert must have been told the URL of `host` as its engine.
 *
 * @param expert `http://127.0.0.1:50051`, or `unix:<path>`; with the token that it wants, where it wants one.
 */
export function remoteTarget(expert: { url: string; token?: string }, host: TestHost): ClosableTarget {
  const transport = connectTransport(expert.url, expert.token === undefined ? {} : { token: expert.token });
  return { client: createClient(ExpertService, transport), host, close: async () => transport.close() };
}

/**
 * An expert in a process of its own, started as an engine starts it: placement `process`.
 *
 * @param module URL of the module whose default export is the expert.
 * @param options.nodeOptions Arguments of Node before the script, such as `--conditions=…`; this process's own where absent.
 * @throws Error with what the process wrote, where it ends before its handshake or gives none within 10 s.
 */
export async function processTarget(module: URL, options: { nodeOptions?: string[] } = {}): Promise<ClosableTarget> {
  const folder = await mkdtemp(join(tmpdir(), "odg-expert-"));
  const socketPath = join(folder, "expert.sock");
  const listening = await listenTestHost();
  const started = await startExpert(module, { ...options, hostUrl: listening.url, socketPath }).catch(
    async (error: unknown) => {
      await listening.close();
      await rm(folder, { recursive: true, force: true });
      throw error;
    },
  );
  const reached = remoteTarget({ url: `unix:${socketPath}` }, listening.host);
  return {
    ...reached,
    async close() {
      await reached.close();
      await started.end();
      await listening.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A cold start with type stripping takes under 2 s on a small machine. */
const START_MS = 10_000;
const TOLD_LINES = 20;

interface Start {
  hostUrl: string;
  socketPath: string;
  nodeOptions?: string[];
}

async function startExpert(module: URL, { hostUrl, socketPath, nodeOptions = process.execArgv }: Start) {
  const entry = new URL(`../serve-process${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
  const child = spawn(process.execPath, [...nodeOptions, fileURLToPath(entry), module.href, hostUrl, socketPath], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const told: string[] = [];
  createInterface(child.stderr).on("line", (line) => told.push(line) > TOLD_LINES && told.shift());
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const shaken = new Promise<boolean>((resolve, fail) => {
    child.once("error", fail);
    createInterface(child.stdout).on("line", (line) => line === handshakeLine(socketPath) && resolve(true));
    setTimeout(() => resolve(false), START_MS).unref();
  });
  const ready = await Promise.race([shaken, ended.then(() => false)]);
  // Its standard input is what keeps it alive: it ends by itself when that closes.
  const end = () => {
    child.stdin.end();
    return ended;
  };
  if (ready) return { end };
  child.kill("SIGKILL");
  throw new Error(`the expert's process gave no handshake:\n${told.join("\n")}`);
}
