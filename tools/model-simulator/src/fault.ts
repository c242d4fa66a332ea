import * as z from "zod";

/** What the simulator does wrong when it is told to; all may be combined. Times are milliseconds unless said otherwise. */
const faultsSchema = z.strictObject({
  /** Waits before it answers. */
  slow: z.coerce.number().min(0).optional(),
  /** Never answers. */
  hang: z.literal(true).optional(),
  /** Sends the body byte by byte, one in so many milliseconds. */
  drip: z.coerce.number().min(0).optional(),
  /** Destroys the connection after so many bytes of the body. */
  cut: z.coerce.number().int().min(0).optional(),
  /** Ends the body properly, but before the answer does. */
  stop: z.literal(true).optional(),
  /** 429, with Retry-After in seconds. */
  "rate-limit": z.coerce.number().min(0).optional(),
  /** 429, and waiting will not help. */
  quota: z.literal(true).optional(),
  /** 500. */
  error: z.literal(true).optional(),
  /** 529 (Anthropic), 503 (the others). */
  overloaded: z.literal(true).optional(),
  /** 504. */
  timeout: z.literal(true).optional(),
  /** 401 (Google: 400), with the key quoted. */
  unauthorized: z.literal(true).optional(),
  /** 400, with the key quoted. */
  invalid: z.literal(true).optional(),
  /** 400, the prompt is declined. */
  "refused-prompt": z.literal(true).optional(),
  /** An answer that declines. */
  refusal: z.literal(true).optional(),
  /** An `overloaded` inside a stream that began well. */
  "stream-error": z.literal(true).optional(),
  /** A stream whose events are no JSON. */
  "malformed-stream": z.literal(true).optional(),
  /** An answer that is no JSON. */
  malformed: z.literal(true).optional(),
  /** An answer that is JSON but does not fit. */
  "wrong-schema": z.literal(true).optional(),
  /** An answer of so many bytes. */
  huge: z.coerce.number().int().positive().optional(),
  /** A web page in place of the protocol, with 502. */
  page: z.literal(true).optional(),
});

export type Faults = z.infer<typeof faultsSchema>;

/** Faults are written `rate-limit=2,slow=100`. @throws RangeError naming what is unknown. */
export function parseFaults(text: string): Faults {
  const entries = text
    .split(",")
    .filter((one) => one !== "")
    .map((one): [string, unknown] => {
      const [name = "", value] = one.split("=");
      return [name, value === undefined ? true : value];
    });
  const parsed = faultsSchema.safeParse(Object.fromEntries(entries));
  if (parsed.success) return parsed.data;
  throw new RangeError(
    parsed.error.issues.map(({ path, message }) => `${path.join(".") || text}: ${message}`).join("; "),
  );
}

/** A key may carry faults behind `--`: `any-key--error`. */
export function faultsOfKey(key: string): Faults {
  const at = key.lastIndexOf("--");
  return at < 0 ? {} : parseFaults(key.slice(at + 2));
}

/** Faults set for the calls to come, whatever their key. */
export class PlannedFaults {
  #faults: Faults = {};
  #left = 0;

  /** For the next `times` calls; for all of them where absent. */
  plan(faults: Faults, times = Number.POSITIVE_INFINITY): void {
    this.#faults = faults;
    this.#left = times;
  }

  take(): Faults {
    if (this.#left <= 0) return {};
    this.#left--;
    return this.#faults;
  }
}
