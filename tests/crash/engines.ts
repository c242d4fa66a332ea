// Engines in processes of their own, as an operator runs them, that a test may kill, stop and start again.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient, type OdgClient } from "@odg/client";
import { type ClosableTransport, connectTransport } from "@odg/rpc";
import { freePort } from "../../tools/services/ports.ts";
import { engineServer, type Running } from "../odg.ts";

/** What the engines of a test have in common. */
export interface Household {
  /** Where they keep runs. */
  databaseUrl: string;
  /** Experts, as in ODG_EXPERTS. */
  experts: string[];
  /** More of the environment. */
  env?: Record<string, string>;
  /** What is remembered of compiled source files between starts, so that a start takes as long as that of a built engine. */
  compileCache?: string;
}

/** One life of an engine. */
export interface EngineProcess {
  readonly name: string;
  readonly url: string;
  readonly client: OdgClient;
  readonly running: Running;
  /** When it was started, in Unix milliseconds. */
  readonly startedAt: number;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** An engine's name and address, which it keeps over its lives. */
export interface Address {
  name: string;
  port: number;
}

export async function newAddress(name: string): Promise<Address> {
  return { name, port: await freePort() };
}

/** A start that has not said yet that it is ready. */
export interface Starting {
  readonly running: Running;
  readonly startedAt: number;
  ready(): Promise<EngineProcess>;
}

/** Starts the process; `ready()` waits for it. */
export function launchEngine(household: Household, { name, port }: Address): Starting {
  const { databaseUrl, experts, env = {}, compileCache } = household;
  const cwd = mkdtempSync(join(tmpdir(), "odg-crash-"));
  mkdirSync(join(cwd, "workflows"));
  const startedAt = Date.now();
  const running = engineServer({
    cwd,
    env: {
      ODG_DATABASE_URL: databaseUrl,
      ODG_EXPERTS: experts.join(","),
      ODG_ENGINE_NAME: name,
      ODG_PORT: String(port),
      ODG_HTTP_PORT: "0",
      ODG_WORKFLOWS_DIR: join(cwd, "workflows"),
      ...(compileCache ? { NODE_COMPILE_CACHE: compileCache } : {}),
      ...env,
    },
  });
  void running.ended.then(() => rmSync(cwd, { recursive: true, force: true }));
  return {
    running,
    startedAt,
    ready: async () => {
      const [, url = ""] = await running.said(/"grpc":"([^"]+)".*engine is ready/);
      return new Living({ name, url, running, startedAt });
    },
  };
}

export function startEngine(household: Household, address: Address): Promise<EngineProcess> {
  return launchEngine(household, address).ready();
}

class Living implements EngineProcess {
  readonly name: string;
  readonly url: string;
  readonly client: OdgClient;
  readonly running: Running;
  readonly startedAt: number;
  readonly #transport: ClosableTransport;

  constructor(life: { name: string; url: string; running: Running; startedAt: number }) {
    this.name = life.name;
    this.url = life.url;
    this.running = life.running;
    this.startedAt = life.startedAt;
    this.#transport = connectTransport(life.url);
    this.client = createClient({ transport: this.#transport });
  }

  async kill(): Promise<void> {
    this.running.process.kill("SIGKILL");
    await this.running.ended;
    this.#transport.close();
  }

  signal(signal: NodeJS.Signals): void {
    this.running.process.kill(signal);
  }
}

/** Kills what is left of an engine, at whatever stage it is. */
export async function killStarting({ running }: Starting): Promise<void> {
  running.process.kill("SIGKILL");
  await running.ended;
}

/** How a copy of effect-expert differs. */
export interface EffectExpertOptions {
  version?: string;
  /** Tasks at once; many where absent. */
  slots?: number;
}

/** Writes a copy of effect-expert that knows where its effects are counted; answers its folder. */
export function effectExpert(sinkUrl: string, { version = "1.0.0", slots = 256 }: EffectExpertOptions = {}): string {
  const source = join(import.meta.dirname, "effect-expert");
  const folder = mkdtempSync(join(tmpdir(), "odg-effect-"));
  cpSync(join(source, "index.ts"), join(folder, "index.ts"));
  const manifest = { ...JSON.parse(readFileSync(join(source, "package.json"), "utf8")), version };
  manifest.odg.permissions = { hosts: [new URL(sinkUrl).host] };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "sink.json"), JSON.stringify({ url: sinkUrl, slots }), { mode: 0o600 });
  symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
  return folder;
}
