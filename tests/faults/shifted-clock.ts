// Loaded before an engine (`node --import`): its wall clock is off by what a file says, in milliseconds; its monotonic clock is not. As
// when somebody sets the time of the machine.
import { readFileSync } from "node:fs";

const file = process.env.ODG_TEST_CLOCK_SHIFT ?? "";
const RealDate = Date;
const now = RealDate.now.bind(RealDate);
let shift = 0;

function look(): void {
  shift = Number(readFileSync(file, "utf8"));
}

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(now() + shift);
    else super(...(given as [number]));
  }

  static override now(): number {
    return now() + shift;
  }
}

look();
setInterval(look, 20).unref();
globalThis.Date = ShiftedDate as DateConstructor;
