import { delimiter, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

/** The experts of the decision record that exist, by package. */
export const DEFAULT_EXPERTS = [
  "@odg/expert-schema",
  "@odg/expert-quality",
  "@odg/expert-lineage",
  "@odg/expert-security",
  "@odg/expert-compliance",
  "@odg/expert-cost",
];

const list = (separator: string) =>
  z.string().transform((text) =>
    text
      .split(separator)
      .map((one) => one.trim())
      .filter((one) => one !== ""),
  );

const port = z.coerce.number().int().min(0).max(65_535);

/** Every setting of the engine, by the environment variable that holds it. Every default boots on a bare laptop. */
const environmentSchema = z.object({
  /** Address to listen on. Beyond the loopback interface anybody who reaches the port may read the data roots. */
  ODG_HOST: z.string().min(1).default("127.0.0.1"),
  /** Port for gRPC, gRPC-web and Connect by HTTP/2 without TLS. */
  ODG_PORT: port.default(50_051),
  /** Port for Connect and gRPC-web by HTTP/1.1. */
  ODG_HTTP_PORT: port.default(8080),
  /** Connection string of a Postgres; where it is missing an embedded one keeps its files in ODG_STORE_DIR. */
  ODG_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "begins with postgres://")
    .optional(),
  /** Folder of the embedded store. */
  ODG_STORE_DIR: z.string().min(1).default(".odg"),
  /** Folders whose files may be opened, separated as in PATH. */
  ODG_DATA_ROOTS: list(delimiter).default([]),
  /** Port where remote experts ask back by HostService, on ODG_HOST; it is opened where there is a remote expert. */
  ODG_HOST_PORT: port.default(50_052),
  /** What remote experts want to see as `Authorization: Bearer …`. */
  ODG_REMOTE_TOKEN: z.string().min(16).optional(),
  /**
   * Experts, separated by commas: a package or its folder; `process:package` in a process of its own, `process:package*3` in three;
   * `remote:dns:///host:port`.
   */
  ODG_EXPERTS: list(",").default(DEFAULT_EXPERTS),
  /** Packages of experts, separated by commas, that may ask for wider permissions than they were granted before. */
  ODG_ALLOW_WIDER: list(",").default([]),
  /** Folder of workflow templates. */
  ODG_WORKFLOWS_DIR: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL("../../../workflows", import.meta.url))),
  /** Threads that read data. */
  ODG_POOL_THREADS: z.coerce.number().int().min(1).max(256).optional(),
  /** Memory of one reader, in MB; what does not fit goes to disk. */
  ODG_MEMORY_LIMIT_MB: z.coerce.number().int().min(64).optional(),
  /** Time that calls under way may take to end after SIGTERM, in milliseconds. */
  ODG_DRAIN_MS: z.coerce.number().int().min(0).default(30_000),
  /** How much is logged. */
  ODG_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

/** What an engine is made with. */
export interface EngineConfig {
  /** Where runs are kept. */
  store: { kind: "memory" } | { kind: "embedded"; folder: string } | { kind: "postgres"; url: string };
  dataRoots: string[];
  /** Files that may be opened although they lie under no root: what a user typed on the command line. */
  allowedPaths: string[];
  /** Experts, as in ODG_EXPERTS. */
  experts: string[];
  /** Packages of experts that may ask for wider permissions than they were granted before. */
  allowWider: string[];
  workflowsDir: string;
  poolThreads?: number | undefined;
  memoryLimitMb?: number | undefined;
  logLevel: string;
  /** What becomes of runs whose engine ended before them. */
  leftRuns: "resume" | "cancel" | "leave";
  /** Where remote experts ask back; a free port of the loopback interface where absent. */
  hostListen?: { host: string; port: number } | undefined;
  /** What remote experts want to see. */
  remoteToken?: string | undefined;
}

/** What a server is made with. */
export interface ServerConfig {
  host: string;
  port: number;
  httpPort: number;
  drainMs: number;
}

/** Settings that cannot be used; the message names all of them at once and repeats no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads the settings. @throws ConfigError */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): {
  engine: EngineConfig;
  server: ServerConfig;
} {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(present);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(`these settings cannot be used:\n  ${faults.join("\n  ")}`);
  }
  const env = parsed.data;
  return {
    engine: {
      store: env.ODG_DATABASE_URL
        ? { kind: "postgres", url: env.ODG_DATABASE_URL }
        : { kind: "embedded", folder: resolve(env.ODG_STORE_DIR) },
      dataRoots: env.ODG_DATA_ROOTS.map((root) => resolve(root)),
      allowedPaths: [],
      experts: env.ODG_EXPERTS,
      allowWider: env.ODG_ALLOW_WIDER,
      workflowsDir: env.ODG_WORKFLOWS_DIR,
      poolThreads: env.ODG_POOL_THREADS,
      memoryLimitMb: env.ODG_MEMORY_LIMIT_MB,
      logLevel: env.ODG_LOG_LEVEL,
      leftRuns: "resume",
      hostListen: { host: env.ODG_HOST, port: env.ODG_HOST_PORT },
      remoteToken: env.ODG_REMOTE_TOKEN,
    },
    server: { host: env.ODG_HOST, port: env.ODG_PORT, httpPort: env.ODG_HTTP_PORT, drainMs: env.ODG_DRAIN_MS },
  };
}
