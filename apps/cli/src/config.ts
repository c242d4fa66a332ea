import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";

/** What the terminal and the environment say; flags may take more away. */
export const surroundings = {
  /** Whether progress may be drawn over itself. */
  stderrIsTerminal: process.stderr.isTTY === true && process.env.TERM !== "dumb" && !process.env.CI,
  /** Whether data may be coloured: https://no-color.org */
  stdoutColor: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  stderrColor: process.stderr.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
  /** Engine to talk to where no flag names one. */
  engineUrl: process.env.ODG_ENGINE_URL,
  /** Who sits here, as the system knows them; undefined where it does not, or where the name cannot travel. */
  user: userName(),
  /** Whether somebody can be asked. */
  canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
  /** What an engine in this process logs: nothing, unless the user asks. */
  logLevel: process.env.ODG_LOG_LEVEL ?? "silent",
};

function userName(): string | undefined {
  try {
    const { username } = userInfo();
    return /^[!-~]{1,256}$/.test(username) ? username : undefined;
  } catch {
    // A process in a container may run as a number that has no name.
    return undefined;
  }
}

/** Version of this package. */
export function version(): string {
  const manifest = new URL("../package.json", import.meta.url);
  const parsed: unknown = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {};
  return parsed !== null && typeof parsed === "object" && "version" in parsed ? String(parsed.version) : "unknown";
}
