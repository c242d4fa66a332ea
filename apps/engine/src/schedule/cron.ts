import { Cron } from "croner";

/** Five fields of cron, read in a time zone. */
export interface Times {
  /** The first time after this one, in Unix milliseconds; undefined where there is none. */
  after(ms: number): number | undefined;
  /** Times after one and not after another: how many (at most `most`) and the last of them. */
  within(afterMs: number, untilMs: number, most: number): { count: number; last: number | undefined };
}

/** The field of a schedule that cannot be used, and why. */
export interface CronFault {
  field: "cron" | "time_zone";
  message: string;
}

/**
 * Reads a cron expression of five fields. When the clocks change, a task of fixed hours runs once: in the hour that is left out, at its
 * end; in the hour that comes twice, the first time. One with `*` or a step in minute or hour goes on by the clock on the wall, so it
 * runs in both of the two hours (the rule of Vixie cron).
 *
 * @param timeZone IANA name; empty for UTC
 */
export function timesOf(cron: string, timeZone: string): Times | CronFault {
  if (!isTimeZone(timeZone)) {
    return { field: "time_zone", message: "this is no time zone of the IANA database: such as Europe/Berlin" };
  }
  if (cron.trim().split(/\s+/).length !== 5) {
    return { field: "cron", message: "cron has five fields: minute, hour, day of month, month, day of week" };
  }
  let job: Cron;
  try {
    job = new Cron(cron.trim(), {
      timezone: timeZone || "UTC",
      mode: "5-part",
      paused: true,
      fixedTimeRule: "no-wildcard",
    });
  } catch (error) {
    return { field: "cron", message: `this is no cron expression: ${reasonOf(error)}` };
  }
  const after = (ms: number) => job.nextRun(new Date(ms))?.getTime();
  if (after(Date.UTC(2000, 0, 1)) === undefined) return { field: "cron", message: "no day ever fits these fields" };
  return { after, within: (afterMs, untilMs, most) => within(job, { afterMs, untilMs, most }) };
}

function isTimeZone(name: string): boolean {
  if (name === "") return true;
  // An offset such as +02:00 is taken by Intl as well, but it has no rule for the clocks: not what is meant here.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** What the library says, without its own name in front. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^\w+: /, "") : "it cannot be read";
}

function within(job: Cron, span: { afterMs: number; untilMs: number; most: number }): ReturnType<Times["within"]> {
  let count = 0;
  let last: number | undefined;
  for (let at = span.afterMs; count < span.most; count++) {
    const next = job.nextRun(new Date(at))?.getTime();
    if (next === undefined || next > span.untilMs) return { count, last };
    last = at = next;
  }
  // More than anybody counts: the last one is looked for from the other end, but for the millisecond that is asked for itself.
  const [newest] = job.previousRuns(1, new Date(span.untilMs + 1));
  return { count, last: newest?.getTime() ?? last };
}
