import { act, engineVerb, several } from "./verbs.ts";

const REPORT = "write the report: .html, .md, .json or .txt; repeat for more";
const none: string[] = [];

/** The verbs that follow, control and repeat runs, and decide about consents. */
export function addControlVerbs(): void {
  following(engineVerb("watch <run>", "follow a run until it ends")).action(
    act(async (runId: string, flags) => (await import("./run.ts")).watch(runId, flags)),
  );
  for (const name of ["pause", "resume", "cancel"] as const) {
    const command = engineVerb(`${name} <runs...>`, PURPOSE[name]);
    if (name !== "resume") command.option("--reason <text>", "why, for people");
    command.action(act(async (runIds: string[], flags) => (await import("./control.ts"))[name](runIds, flags)));
  }
  beginning(engineVerb("fork <run>", "start a run that takes over finished tasks of another one"))
    .option("--from <task>", "work for this task and what depends on it; else for all that did not succeed")
    .option("-i, --input <key=value>", "input of the run in place of the first one's; repeat for more", several, none)
    .option("--task-input <key=value>", "input of the task --from; repeat for more", several, none)
    .action(act(async (runId: string, flags) => (await import("./fork.ts")).fork(runId, flags)));
  beginning(engineVerb("rerun <run>", "start a run again: what did not succeed, or the whole"))
    .option("--all", "the whole: no result is taken over")
    .action(act(async (runId: string, flags) => (await import("./fork.ts")).rerun(runId, flags)));
  addConsentVerbs();
}

const PURPOSE = {
  pause: "let nothing new begin in runs; what is under way goes on",
  resume: "let paused runs go on",
  cancel: "cancel runs",
};

function addConsentVerbs(): void {
  engineVerb("approvals", "list consents that tasks wait for, oldest first")
    .option("--run <run>", "only those of this run")
    .option("--status <status>", "those that are pending, approved, rejected or expired", "pending")
    .option("--limit <n>", "how many", "20")
    .option("--page-token <token>", "where the page before ended")
    .action(act(async (flags) => (await import("./approvals.ts")).approvals(flags)));
  engineVerb(
    "approve <run> [tasks...]",
    "grant consent to tasks of a run; to the only one that waits where none is named",
  )
    .option("--reason <text>", "why, for people")
    .action(act(async (run: string, tasks, flags) => (await import("./approvals.ts")).approve(run, tasks, flags)));
  engineVerb("reject <run> [tasks...]", "deny consent to tasks of a run")
    .option("--reason <text>", "why, for people")
    .action(
      act(async (run: string, tasks, flags) => (await import("./approvals.ts")).rejectConsent(run, tasks, flags)),
    );
}

function following(command: ReturnType<typeof engineVerb>): ReturnType<typeof engineVerb> {
  return command
    .option("-r, --report <file>", REPORT, several, none)
    .option("--fail-on <severity>", "exit with 7 on findings of warning, error or critical and above");
}

function beginning(command: ReturnType<typeof engineVerb>): ReturnType<typeof engineVerb> {
  return following(command)
    .option("-d, --detach", "answer as soon as the engine has accepted the run")
    .option("--timeout <time>", "cancel the run after this time: 30s, 5m");
}
