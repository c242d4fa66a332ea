import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

/** Structured log. Secrets are redacted where the line is written, whatever the caller passed. */
export type Logger = Pick<PinoLogger, "debug" | "info" | "warn" | "error">;

/** Takes the lines of a log. */
export type LogStream = DestinationStream;

const SECRET = ["password", "token", "apiKey", "authorization", "hostToken", "connectionString", "databaseUrl"];

/** A logger to a stream; standard error by default, since standard output belongs to data. */
export function createLogger(level: string, stream?: LogStream): Logger {
  const paths = SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    { level, base: null, redact: { paths, censor: "[redacted]" }, serializers: { err: describeError } },
    stream ?? pino.destination(2),
  );
}

/** Connection strings hold passwords, and errors of drivers quote them. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: withoutPasswords(String(error)) };
  return {
    type: error.name,
    message: withoutPasswords(error.message),
    stack: withoutPasswords(error.stack ?? ""),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

function withoutPasswords(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]{0,256}):[^\s@/]{1,256}@/gi, "$1:[redacted]@");
}
