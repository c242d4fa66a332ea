import { existsSync, readFileSync } from "node:fs";

/** What the terminal and the environment say; flags may take more away. */
export const surroundings = {
  /** Whether progress may be drawn over itself. */
  stderrIsTerminal: process.stderr.isTTY === true && process.env.TERM !== "dumb" && !process.env.CI,
  /** Whether data may be coloured: https://no-color.org */
  stdoutColor: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  stderrColor: process.stderr.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  /** Engine to talk to where no flag names one. */
  engineUrl: process.env.ODG_ENGINE_URL,
  /** What an engine in this process logs: nothing, unless the user asks. */
  logLevel: process.env.ODG_LOG_LEVEL ?? "silent",
};

/** Version of this package. */
export function version(): string {
  const manifest = new URL("../package.json", import.meta.url);
  const parsed: unknown = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  return parsed !== null && typeof parsed === "object" && "version" in parsed ? String(parsed.version) : "unknown";
}
