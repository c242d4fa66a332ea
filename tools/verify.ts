/**
 * `npm run verify`: everything that must hold before a change is merged, one line per step.
 * `--no-tests` leaves the tests out, for a caller that runs them next with real servers.
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "./run-command.ts";

interface Step {
  readonly name: string;
  /** Commands in order; the step stops at the first that fails. */
  readonly commands: readonly (readonly string[])[];
}

const ROOT = resolve(import.meta.dirname, "..");
const check = (name: string): readonly string[] => ["node", "--conditions=@odg/source", `tools/check-${name}.ts`];

/** Independent of each other, the longest first. */
const CHECKS: readonly Step[] = [
  { name: "types", commands: [["tsc", "-b", "--pretty", "false"]] },
  { name: "format and lint", commands: [["biome", "ci", "--colors=off", "--error-on-warnings", "."]] },
  {
    name: "protobuf lint, format, breaking changes",
    commands: [
      ["buf", "lint"],
      ["buf", "format", "--diff", "--exit-code", "proto"],
      ["buf", "breaking", "proto", "--against", "proto/baseline.binpb"],
    ],
  },
  { name: "generated code is fresh", commands: [check("generated")] },
  { name: "boundaries", commands: [check("boundaries")] },
  { name: "lockfile", commands: [check("lockfile")] },
  { name: "words", commands: [check("words")] },
  { name: "documents", commands: [check("docs")] },
];

const TESTS: Step = { name: "tests", commands: [["vitest", "run"]] };

async function perform(step: Step): Promise<boolean> {
  const start = performance.now();
  let failure: string | undefined;
  for (const [command = "", ...args] of step.commands) {
    const { code, output } = await runCommand(command, args, { cwd: ROOT });
    if (code === 0) continue;
    failure = `$ ${[command, ...args].join(" ")}\n${output.trimEnd()}`;
    break;
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
  console.log(`${failure === undefined ? "ok  " : "FAIL"} ${seconds} s  ${step.name}`);
  if (failure !== undefined) console.log(failure.replaceAll(/^/gm, "     "));
  return failure === undefined;
}

/** Performs the steps with as many at once as there are cores; answers how many failed. */
async function performAll(steps: readonly Step[]): Promise<number> {
  const waiting = [...steps];
  let failed = 0;
  const lane = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) if (!(await perform(step))) failed++;
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, lane));
  return failed;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { "no-tests": { type: "boolean", default: false } } });
  let failed = await performAll(CHECKS);
  // Alone, since tests measure time.
  if (!values["no-tests"]) failed += await performAll([TESTS]);
  console.log(failed === 0 ? "verify: all steps passed" : `verify: ${failed} step(s) failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
