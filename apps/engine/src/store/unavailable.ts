/** The store does not answer; whoever asks may try again. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

// Connection errors of Node, and of Postgres: class 08, 53300 (too many connections), 57P01 to 57P03 (shutting down, starting up).
const CODES = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|08|53300|57P0[1-3])/;
// node-postgres gives these no code.
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** The error as StoreUnavailable where it means that; else as it is. */
export function orUnavailable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  if (!CODES.test(code) && !MESSAGES.test(error.message)) return error;
  return new StoreUnavailable("the store does not answer", { cause: error });
}
