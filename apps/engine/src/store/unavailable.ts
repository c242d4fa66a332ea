/** The store does not answer; whoever asks may try again. */
export class StoreUnavailable extends Error {
  override readonly name: string = "StoreUnavailable";
}

/** The store takes nothing more until somebody makes room; it can be read. */
export class StoreFull extends Error {
  override readonly name = "StoreFull";
}

// Connection errors of Node, and of Postgres: class 08, 53300 (too many connections), 57P01 to 57P03 (shutting down, starting up),
// 57014 (statement took too long), 55P03 (lock took too long), 25006 (a standby that takes no writes).
const CODES = /^(ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|08|53300|57P0[1-3]|57014|55P03|25006)/;
// node-postgres gives these no code.
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;
/** 53100: disk_full. The embedded Postgres passes the system's error on. */
const FULL = /^(53100|ENOSPC)$/;
const FULL_MESSAGE = /No space left on device/;
/** serialization_failure, deadlock_detected. */
const TRANSIENT = /^(40001|40P01)$/;

/** The error as StoreUnavailable or StoreFull where it means that; else as it is. */
export function orStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable || error instanceof StoreFull) return error;
  const code = codeOf(error);
  if (FULL.test(code) || FULL_MESSAGE.test(error.message)) {
    return new StoreFull("the store has no room left", { cause: error });
  }
  if (!CODES.test(code) && !MESSAGES.test(error.message) && !TRANSIENT.test(code)) return error;
  return new StoreUnavailable("the store does not answer", { cause: error });
}

/** Whether the database undid something for the sake of another transaction: the same again may succeed at once. */
export function isTransient(error: unknown): boolean {
  return error instanceof Error && TRANSIENT.test(codeOf(error));
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
