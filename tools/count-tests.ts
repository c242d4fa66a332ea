/** Prints `N passed, N failed` from the JSON results of vitest; fails when any test failed or none ran. */
import { existsSync, readFileSync } from "node:fs";

interface FileResult {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

export interface Results {
  readonly success: boolean;
  readonly testResults: readonly FileResult[];
}

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** Counts tests; a file that failed before any test in it could fail (it does not load, a hook threw) counts as one. */
export function countTests(results: Results): Count {
  let [passed, failed] = [0, 0];
  for (const file of results.testResults) {
    const failures = file.assertionResults.filter((test) => test.status === "failed").length;
    passed += file.assertionResults.filter((test) => test.status === "passed").length;
    failed += failures === 0 && file.status === "failed" ? 1 : failures;
  }
  return { passed, failed };
}

function main(file: string | undefined): number {
  const results = file && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
  const { passed, failed } = results ? countTests(results) : { passed: 0, failed: 0 };
  console.log(`${passed} passed, ${failed} failed`);
  return results?.success && failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv[2]);
