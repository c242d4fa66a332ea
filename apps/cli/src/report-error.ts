import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { printError, say } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** A peer that speaks no HTTP/2 ends the session with an error that nobody can catch (connect-node). */
function named(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!code.startsWith("ERR_HTTP2_")) return error;
  return reject(Reason.UNAVAILABLE, {
    message: "what answers at that address does not speak HTTP/2",
    hint: "--engine wants the engine's gRPC port: ODG_PORT, 50051 by default.",
    cause: error,
  });
}

/** Tells what went wrong and answers the exit code. */
export function reportError(error: unknown, json: boolean): number {
  if (error instanceof UsageError) {
    const shown = { code: "invalid_argument", reason: "USAGE", message: error.message };
    say(json ? JSON.stringify({ error: shown }) : `usage: ${error.message}`);
    return EXIT.usage;
  }
  const shown = named(error);
  printError(shown, json);
  return exitCodeOf(shown);
}
