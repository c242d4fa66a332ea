import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

/** How long something is tried. */
export interface Perseverance {
  clock: Clock;
  logger: Logger;
  /** False once the answer does not matter any more. */
  given(): boolean;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/** Asks a store that may be away until it answers; undefined where nobody waits for the answer any more. */
export async function persevere<T>(
  ask: () => Promise<T>,
  { clock, logger, given }: Perseverance,
): Promise<T | undefined> {
  for (let wait = FIRST_RETRY_MS; given(); wait = Math.min(2 * wait, LONGEST_RETRY_MS)) {
    try {
      return await ask();
    } catch (err) {
      logger.error({ err }, "the store does not answer; trying again");
      await new Promise<void>((resolve) => clock.after(wait, resolve));
    }
  }
  return undefined;
}
