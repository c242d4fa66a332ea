import { createHash } from "node:crypto";

/** Numbers in [0, 1) that depend on nothing but their seed (mulberry32, Tommy Ettinger, public domain). */
export type Chance = () => number;

export function chanceOf(...seed: readonly string[]): Chance {
  let state = createHash("sha256").update(JSON.stringify(seed)).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`, both included. */
export function between(chance: Chance, least: number, most: number): number {
  return least + Math.floor(chance() * (most - least + 1));
}
