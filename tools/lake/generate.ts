import { parseArgs } from "node:util";
import { buildLake } from "./src/lake.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "200000" },
    out: { type: "string", default: ".lake" },
    seed: { type: "string", default: "7" },
  },
});

function wholeNumber(name: "rows" | "seed", least: number): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least || value > 1_000_000_000) {
    console.error(`--${name} must be a whole number from ${least} to 1000000000, but is "${values[name]}"`);
    process.exit(2);
  }
  return value;
}

const rows = wholeNumber("rows", 1);
const seed = wholeNumber("seed", 0);
const { built, durationMs } = await buildLake({ out: values.out, rows, seed });
console.error(
  built
    ? `Sample lake: ${rows.toLocaleString("en-US")} transactions written to ${values.out} in ${(durationMs / 1000).toFixed(1)} s`
    : `Sample lake: ${values.out} is up to date`,
);
