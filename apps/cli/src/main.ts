import { CommanderError } from "commander";
import { addControlVerbs } from "./control-verbs.ts";
import { addExpertVerbs } from "./expert-verbs.ts";
import { addScheduleVerbs } from "./schedule-verbs.ts";
import { act, engineVerb, program, several, wanted } from "./verbs.ts";
import { addWorkflowVerbs } from "./workflow-verbs.ts";

// What a verb needs is loaded when it is called: --version and --help stay quick.
const REPORT = "write the report: .html, .md, .json or .txt; repeat for more";

engineVerb("run <workflow>", "run a published workflow, or the workflow in a file")
  .option("-i, --input <key=value>", "input of the run; repeat for more", several, [] as string[])
  .option("-r, --report <file>", REPORT, several, [] as string[])
  .option("-l, --label <key=value>", "label of the run, for lists; repeat for more", several, [] as string[])
  .option("--priority <n>", "from -10 to 10: who has more gets free experts first", "0")
  .option("-d, --detach", "answer as soon as the engine has accepted the run")
  .option("--fail-on <severity>", "exit with 7 on findings of warning, error or critical and above")
  .option("--timeout <time>", "cancel the run after this time: 30s, 5m")
  .action(act(async (workflow: string, flags) => (await import("./run.ts")).run(workflow, flags)));

engineVerb("validate <files...>", "check files of workflows; says everything that is wrong at once")
  .option("--experts", "also check that the experts exist")
  .action(act(async (files: string[], flags) => (await import("./validate.ts")).validate(files, flags)));

engineVerb("plan <workflow>", "show what a run would do").action(
  act(async (workflow: string, flags) => (await import("./plan.ts")).planVerb(workflow, flags)),
);

engineVerb("runs", "list runs, newest first")
  .option("--status <status>", "only runs that are running, paused, succeeded, failed or cancelled")
  .option("--workflow <id>", "only runs of this workflow")
  .option("-l, --label <key=value>", "only runs with this label; repeat for more", several, [] as string[])
  .option("--since <time>", "only runs accepted since: 30m, 12h, 7d, or a date")
  .option("--limit <n>", "how many", "20")
  .option("--page-token <token>", "where the page before ended")
  .action(act(async (flags) => (await import("./runs.ts")).runs(flags)));

engineVerb("get <run>", "show one run and its report")
  .option("-r, --report <file>", REPORT, several, [] as string[])
  .action(act(async (runId: string, flags) => (await import("./get.ts")).get(runId, flags)));

addControlVerbs();
addWorkflowVerbs();
addScheduleVerbs();
addExpertVerbs();

async function fail(error: unknown): Promise<number> {
  return (await import("./report-error.ts")).reportError(error, wanted.json);
}

// Whatever slips through still ends in one clear line and an exit code, never in a stack trace.
process.once("uncaughtException", (error) => {
  fail(error).then(
    (code) => process.exit(code),
    () => process.exit(1),
  );
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = await fail(error);
}
