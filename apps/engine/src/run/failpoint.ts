// Named places where a test may end the process, so that what a crash there leaves behind can be looked at. Nothing is active unless
// the configuration says so, and it refuses to in production.

/** Places where a failpoint stands. */
export const FAILPOINTS = ["task.afterEffect.beforeRecord", "journal.beforeAppend", "journal.afterAppend"] as const;

/** A place where a failpoint stands. */
export type Failpoint = (typeof FAILPOINTS)[number];

/** Passages of a place that are still let through, by place. */
let armed: Map<Failpoint, number> | undefined;

/**
 * Arms failpoints: `task.afterEffect.beforeRecord=exit`, or `=exit@3` for the third time that the place is passed; several are separated
 * by commas.
 *
 * @throws Error that names the entry which is not understood
 */
export function armFailpoints(text: string): void {
  armed = undefined;
  for (const entry of text.split(",").filter((one) => one.trim() !== "")) {
    const [, name, times] = /^\s*([a-zA-Z.]+)=exit(?:@([1-9]\d{0,5}))?\s*$/.exec(entry) ?? [];
    const place = FAILPOINTS.find((one) => one === name);
    if (!place) throw new Error(`there is no failpoint "${entry}"; there are ${FAILPOINTS.join(", ")}, each "=exit"`);
    armed ??= new Map();
    armed.set(place, Number(times ?? 1) - 1);
  }
}

/** Ends the process as a crash would, where the failpoint is armed. */
export function failpoint(place: Failpoint): void {
  const left = armed?.get(place);
  if (left === undefined) return;
  if (left === 0) process.kill(process.pid, "SIGKILL");
  armed?.set(place, left - 1);
}
