/** Time and chance, given from outside so that a simulation can hold both. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Calls back after a while, by monotonic time; answers how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest wait that setTimeout takes; a longer one is waited for in parts. */
const LONGEST = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      const part = Math.min(left, LONGEST);
      timer = setTimeout(() => (left > part ? wait(left - part) : callback()), part);
    };
    wait(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};
