import { existsSync } from "node:fs";

/** The variable that names each server or tool to the tests. */
export const SERVICE_VARIABLES = {
  postgres: "ODG_TEST_POSTGRES_URL",
  redis: "ODG_TEST_REDIS_URL",
  chromium: "ODG_TEST_CHROMIUM_PATH",
  grpcurl: "ODG_TEST_GRPCURL_PATH",
  python: "ODG_TEST_PYTHON_PATH",
} as const;

export type ServerName = "postgres" | "redis";
export type ToolName = "chromium" | "grpcurl" | "python";

/**
 * The URL of a real server for tests, or undefined where there is none: such cases are skipped, as in
 * `describe.skipIf(!serviceUrl("postgres"))`. `npm test` prints the one line that says so.
 */
export function serviceUrl(name: ServerName): string | undefined {
  return process.env[SERVICE_VARIABLES[name]] || undefined;
}

/** The path of a program for tests, or undefined where it is not installed. */
export function toolPath(name: ToolName): string | undefined {
  const path = process.env[SERVICE_VARIABLES[name]] || undefined;
  if (path && !existsSync(path)) throw new Error(`${SERVICE_VARIABLES[name]} names ${path}, which does not exist`);
  return path;
}
