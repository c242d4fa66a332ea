import { EXIT, exitCodeOf } from "./exit-code.ts";
import { printError, say } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** Tells what went wrong and answers the exit code. */
export function reportError(error: unknown, json: boolean): number {
  if (error instanceof UsageError) {
    const shown = { code: "invalid_argument", reason: "USAGE", message: error.message };
    say(json ? JSON.stringify({ error: shown }) : `usage: ${error.message}`);
    return EXIT.usage;
  }
  printError(error, json);
  return exitCodeOf(error);
}
