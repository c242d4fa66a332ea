import type { CaseOutcome } from "./test-package.ts";

/** Exit codes of the command that tests an expert; the same as those of `odg`. */
export const EXIT = { ok: 0, usage: 2, failed: 6 } as const;

/** Prints each outcome as it comes, and what they come to. Answers the exit code. */
export async function printOutcomes(
  outcomes: AsyncIterable<CaseOutcome>,
  write: (line: string) => void,
): Promise<number> {
  let passed = 0;
  let failed = 0;
  const began = performance.now();
  for await (const { name, complaint, took } of outcomes) {
    if (complaint === undefined) passed++;
    else failed++;
    write(complaint === undefined ? `ok    ${name} (${Math.round(took)} ms)` : `FAIL  ${name}\n      ${complaint}`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  write(`${passed} passed, ${failed} failed, ${seconds} s`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
