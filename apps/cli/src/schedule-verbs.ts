import { act, engineVerb, program, several } from "./verbs.ts";

/** `odg schedule …` */
export function addScheduleVerbs(): void {
  const schedule = program.command("schedule").description("runs that begin by the clock");
  engineVerb("create <id>", "begin runs of a workflow by the clock", schedule)
    .requiredOption("--cron <fields>", "minute, hour, day of month, month, day of week: '0 6 * * MON-FRI'")
    .requiredOption("--workflow <id>", "the published workflow")
    .option("--workflow-version <version>", "its version; the newest at each time where absent")
    .option("--time-zone <zone>", "in which the fields are read: Europe/Berlin; UTC where absent")
    .option("-i, --input <key=value>", "input of the runs; repeat for more", several, [] as string[])
    .option("--overlap <rule>", "while the run before goes on: skip, allow, queue or cancel", "skip")
    .option("--paused", "begin no runs yet")
    .action(act(async (id: string, flags) => (await import("./schedules.ts")).create(id, flags)));
  engineVerb("list", "list schedules", schedule)
    .option("--limit <n>", "how many", "50")
    .option("--page-token <token>", "where the page before ended")
    .action(act(async (flags) => (await import("./schedules.ts")).list(flags)));
  engineVerb("show <id>", "show one schedule", schedule).action(
    act(async (id: string, flags) => (await import("./schedules.ts")).show(id, flags)),
  );
  engineVerb("pause <id>", "begin no more runs", schedule).action(
    act(async (id: string, flags) => (await import("./schedules.ts")).pause(id, flags)),
  );
  engineVerb("resume <id>", "begin runs again, from the next time on", schedule).action(
    act(async (id: string, flags) => (await import("./schedules.ts")).resume(id, flags)),
  );
  engineVerb("delete <id>", "forget a schedule; its runs stay", schedule).action(
    act(async (id: string, flags) => (await import("./schedules.ts")).remove(id, flags)),
  );
}
