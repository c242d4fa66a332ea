import { hostname } from "node:os";
import { delimiter, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { MemoryDatabase } from "./store/memory-database.ts";

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

const flag = z.stringbool().default(false);
const path = z.string().min(1).optional();
const port = z.coerce.number().int().min(0).max(65_535);

/** Every setting of the engine, by the environment variable that holds it. Every default boots on a bare laptop. */
const environmentSchema = z
  .object({
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
    /**
     * Name among the engines that share a database: one that starts under the name of one that died goes on with its runs at once.
     * `<host name>:<ODG_PORT>` where absent.
     */
    ODG_ENGINE_NAME: z.string().min(1).max(128).optional(),
    /** How much of the experts a user gets beside the others, who get 1 each: `alice=2,bob=0.5`. */
    ODG_USER_WEIGHTS: list(",")
      .default([])
      .transform((entries, context) => weightsOf(entries, context)),
    /** Places where the process ends as in a crash, for tests: `journal.afterAppend=exit@3`. */
    ODG_FAILPOINTS: z.string().default(""),
    NODE_ENV: z.string().default(""),
    /** Folder of the embedded store. */
    ODG_STORE_DIR: z.string().min(1).default(".odg"),
    /** Folders whose files may be opened, separated as in PATH. */
    ODG_DATA_ROOTS: list(delimiter).default([]),
    /** Port where remote experts ask back by HostService, on ODG_HOST; it is opened where there is a remote expert. */
    ODG_HOST_PORT: port.default(50_052),
    /** What remote experts want to see as `Authorization: Bearer …`. */
    ODG_REMOTE_TOKEN: z.string().min(16).optional(),
    /** Whether that token may travel unencrypted beyond this machine. */
    ODG_REMOTE_TOKEN_PLAIN: flag,
    /** File of the roots, in PEM, that certificates of experts behind `remote+tls:` must lead to; those of Node where absent. */
    ODG_REMOTE_CA: path,
    /** Files of certificate and key, in PEM, that this engine shows to experts behind `remote+tls:`. */
    ODG_REMOTE_CERT: path,
    ODG_REMOTE_KEY: path,
    /** Files of certificate and key, in PEM, of the port where remote experts ask back; unencrypted where absent. */
    ODG_HOST_CERT: path,
    ODG_HOST_KEY: path,
    /** Name by which a remote expert with several engines knows this one. */
    ODG_HOST_NAME: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "is made of small letters, digits and hyphens")
      .optional(),
    /**
     * Experts, separated by commas: a package or its folder; `process:package` in a process of its own, `process:package*3` in three;
     * `remote:dns:///host:port`, `remote+tls:dns:///host:port`.
     */
    ODG_EXPERTS: list(",").default(DEFAULT_EXPERTS),
    /** Packages of experts, separated by commas, that may ask for wider permissions than they were granted before. */
    ODG_ALLOW_WIDER: list(",").default([]),
    /** What may be registered while the engine runs, as in ODG_EXPERTS, with `*` for anything but `/`; nothing where absent. */
    ODG_REGISTER_ALLOW: list(",").default([]),
    /** Public keys of publishers, separated by commas: `acme=/etc/odg/acme.pem`, or the PEM itself behind `acme=`. */
    ODG_TRUSTED_KEYS: list(",").default([]),
    /** Whether packages of experts are refused that no publisher of ODG_TRUSTED_KEYS has signed. */
    ODG_REQUIRE_SIGNATURES: flag,
    /** Folders, separated as in PATH, under which packages may call themselves `@odg/…`, beside those installed with the engine. */
    ODG_OWN_FOLDERS: list(delimiter).default([]),
    /** Time that a process which crashed too often stays in quarantine before it is tried once more, in milliseconds. */
    ODG_QUARANTINE_MS: z.coerce.number().int().min(100).max(86_400_000).default(300_000),
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
  })
  .refine((env) => env.ODG_FAILPOINTS === "" || env.NODE_ENV !== "production", {
    path: ["ODG_FAILPOINTS"],
    message: "is for tests, and NODE_ENV is production",
  });

/** Settings of which one means nothing without the other. */
const PAIRS = [
  ["ODG_HOST_CERT", "ODG_HOST_KEY"],
  ["ODG_REMOTE_CERT", "ODG_REMOTE_KEY"],
] as const;
const pairedSchema = environmentSchema.superRefine((env, context) => {
  for (const [cert, key] of PAIRS)
    if ((env[cert] === undefined) !== (env[key] === undefined))
      context.addIssue({
        code: "custom",
        path: [env[cert] ? key : cert],
        message: `is needed beside ${env[cert] ? cert : key}`,
      });
});

function weightsOf(entries: readonly string[], context: z.RefinementCtx): Map<string, number> {
  const weights = new Map<string, number>();
  for (const entry of entries) {
    const [, user, weight] = /^(.+)=(\d{1,4}(?:\.\d{1,4})?)$/.exec(entry) ?? [];
    if (user && Number(weight) > 0) weights.set(user, Number(weight));
    else context.addIssue({ code: "custom", message: "each entry is a user, =, and a number above 0" });
  }
  return weights;
}

/** What an engine is made with. */
export interface EngineConfig {
  /** Name among the engines that share the store; one that no other has where absent. */
  name?: string | undefined;
  /** How much of the experts a user gets beside the others, who get 1 each. */
  userWeights?: ReadonlyMap<string, number> | undefined;
  /** Failpoints to arm, for tests. */
  failpoints?: string | undefined;
  /** Where runs are kept. */
  store:
    | { kind: "memory" /** Shared with other engines of this process. */; database?: MemoryDatabase }
    | { kind: "embedded"; folder: string }
    | { kind: "postgres"; url: string };
  dataRoots: string[];
  /** Files that may be opened although they lie under no root: what a user typed on the command line. */
  allowedPaths: string[];
  /** Experts, as in ODG_EXPERTS. */
  experts: string[];
  /** Packages of experts that may ask for wider permissions than they were granted before. */
  allowWider: string[];
  /** What may be registered while the engine runs, as in ODG_REGISTER_ALLOW; nothing where absent. */
  registerAllow?: string[] | undefined;
  /** As in ODG_TRUSTED_KEYS. */
  trustedKeys?: string[] | undefined;
  /** Whether packages of experts must be signed by one of those. */
  requireSignatures?: boolean | undefined;
  /** Folders whose packages may call themselves `@odg/…`. */
  ownFolders?: string[] | undefined;
  /** Time in quarantine, in milliseconds; five minutes where absent. */
  quarantineMs?: number | undefined;
  workflowsDir: string;
  poolThreads?: number | undefined;
  memoryLimitMb?: number | undefined;
  logLevel: string;
  /** What becomes of runs whose engine ended before them. */
  leftRuns: "resume" | "cancel" | "leave";
  /** Where remote experts ask back; a free port of the loopback interface where absent. */
  hostListen?: { host: string; port: number } | undefined;
  /** Files of certificate and key of that door. */
  hostTls?: { cert: string; key: string } | undefined;
  /** Name by which a remote expert with several engines knows this one. */
  hostName?: string | undefined;
  /** What remote experts want to see. */
  remoteToken?: string | undefined;
  /** Whether that may travel unencrypted beyond this machine. */
  remoteTokenInPlain?: boolean | undefined;
  /** Files with what experts behind TLS are met with. */
  remoteTls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
}

/** What a server is made with. */
export interface ServerConfig {
  host: string;
  port: number;
  httpPort: number;
  drainMs: number;
  /** Under which the engine of this server joins those that share its store. */
  engineName: string;
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
  const parsed = pairedSchema.safeParse(present);
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
      userWeights: env.ODG_USER_WEIGHTS,
      failpoints: env.ODG_FAILPOINTS,
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
      ...trustOf(env),
      ...remoteOf(env),
    },
    server: {
      host: env.ODG_HOST,
      port: env.ODG_PORT,
      httpPort: env.ODG_HTTP_PORT,
      drainMs: env.ODG_DRAIN_MS,
      // Where the system picks the port, the port says nothing.
      engineName: env.ODG_ENGINE_NAME ?? `${hostname()}:${env.ODG_PORT || process.pid}`,
    },
  };
}

type Environment = z.infer<typeof environmentSchema>;

function trustOf(env: Environment) {
  return {
    registerAllow: env.ODG_REGISTER_ALLOW,
    trustedKeys: env.ODG_TRUSTED_KEYS,
    requireSignatures: env.ODG_REQUIRE_SIGNATURES,
    ownFolders: env.ODG_OWN_FOLDERS.map((folder) => resolve(folder)),
    quarantineMs: env.ODG_QUARANTINE_MS,
  };
}

function remoteOf(env: Environment) {
  const { ODG_HOST_CERT: hostCert, ODG_HOST_KEY: hostKey, ODG_REMOTE_CERT: cert, ODG_REMOTE_KEY: key } = env;
  return {
    hostTls: hostCert && hostKey ? { cert: hostCert, key: hostKey } : undefined,
    hostName: env.ODG_HOST_NAME,
    remoteToken: env.ODG_REMOTE_TOKEN,
    remoteTokenInPlain: env.ODG_REMOTE_TOKEN_PLAIN,
    remoteTls: { ca: env.ODG_REMOTE_CA, cert, key },
  };
}
