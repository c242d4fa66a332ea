import * as z from "zod";

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = (max: number) => z.coerce.number().int().min(1).max(max);
const DAY_MS = 24 * 3_600_000;

const origins = z.string().transform((text, context) => {
  const all = text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  if (all.every(isOrigin)) return all;
  context.addIssue("holds something that is no origin; one looks like https://console.example.org");
  return z.NEVER;
});

/** Exactly what a browser sends: scheme, host and a port that is not the scheme's own. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Every setting of the gateway, by the environment variable that holds it. */
const environmentSchema = z.object({
  /** Where the engine listens for gRPC. */
  ODG_ENGINE_URL: z.url({ protocol: /^https?$/, error: "is no URL of an engine" }).default("http://127.0.0.1:50051"),
  /** Address to listen on. Beyond the loopback interface anybody who reaches the port may call the engine. */
  ODG_GATEWAY_HOST: z.string().min(1).default("127.0.0.1"),
  /** Port for Connect and gRPC-web by HTTP/1.1: the one that browsers use. */
  ODG_GATEWAY_HTTP_PORT: port.default(8081),
  /** Port for the same, and for gRPC, by HTTP/2 without TLS. */
  ODG_GATEWAY_PORT: port.default(50_052),
  /** Origins whose pages may call, separated by commas. */
  ODG_GATEWAY_ORIGINS: origins.default([]),
  /** Bytes of one request. */
  ODG_GATEWAY_MAX_REQUEST_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .max(64 * 2 ** 20)
    .default(4 * 2 ** 20),
  /** Time in which the engine must answer a call whose caller names no deadline, in milliseconds. */
  ODG_GATEWAY_CALL_TIMEOUT_MS: milliseconds(DAY_MS).default(60_000),
  /** Time without any message after which a stream counts as lost, in milliseconds; the engine's heartbeats count. */
  ODG_GATEWAY_SILENCE_MS: milliseconds(DAY_MS).default(60_000),
  /** Time that calls under way may take to end after SIGTERM, in milliseconds. */
  ODG_GATEWAY_DRAIN_MS: z.coerce.number().int().min(0).max(DAY_MS).default(30_000),
});

/** What a gateway is made with. */
export interface GatewayConfig {
  engineUrl: string;
  host: string;
  httpPort: number;
  port: number;
  /** Origins whose pages may call; pages of all others are refused. */
  origins: readonly string[];
  maxRequestBytes: number;
  callTimeoutMs: number;
  silenceMs: number;
  drainMs: number;
}

/** Settings that cannot be used; the message names all of them at once and repeats no value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads the settings. @throws ConfigError */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(present);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new ConfigError(`these settings cannot be used:\n  ${faults.join("\n  ")}`);
  }
  const env = parsed.data;
  return {
    engineUrl: env.ODG_ENGINE_URL,
    host: env.ODG_GATEWAY_HOST,
    httpPort: env.ODG_GATEWAY_HTTP_PORT,
    port: env.ODG_GATEWAY_PORT,
    origins: env.ODG_GATEWAY_ORIGINS,
    maxRequestBytes: env.ODG_GATEWAY_MAX_REQUEST_BYTES,
    callTimeoutMs: env.ODG_GATEWAY_CALL_TIMEOUT_MS,
    silenceMs: env.ODG_GATEWAY_SILENCE_MS,
    drainMs: env.ODG_GATEWAY_DRAIN_MS,
  };
}
