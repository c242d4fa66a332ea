/** Where a server writes what the client must not see. A pino logger is one. The sink redacts, not the caller. */
export interface RpcLogger {
  /** A line for operators. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** A fault; `fields.err` holds the error. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * The logger of a server that was given none: one JSON line each on stderr. Of an error it writes the name and the
 * places in the code, never the message, which may hold anything.
 */
export const stderrLogger: RpcLogger = {
  info: (fields, message) => writeLine("info", fields, message),
  error: (fields, message) => writeLine("error", fields, message),
};

function writeLine(level: string, fields: Readonly<Record<string, unknown>>, message: string): void {
  const shown = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? placesOf(value) : value]);
  process.stderr.write(`${JSON.stringify({ level, message, ...Object.fromEntries(shown) })}\n`);
}

function placesOf(error: Error): { name: string; at: string[] } {
  const lines = error.stack?.split("\n") ?? [];
  return { name: error.name, at: lines.map((line) => line.trim()).filter((line) => line.startsWith("at ")) };
}
