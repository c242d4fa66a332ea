import { toJson } from "@bufbuild/protobuf";
import {
  ListSchedulesResponseSchema,
  type Schedule,
  ScheduleSchema,
} from "@odg/proto/odg/engine/v1/schedule_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "@odg/rpc";
import { type EngineFlags, isRemote, withConnection } from "./connect.ts";
import { localPaths, parseInputs } from "./inputs.ts";
import { printData, printJson, say, table } from "./output.ts";
import { pageSizeOf, when } from "./runs.ts";

/** Flags of `odg schedule create`. */
export interface CreateFlags extends EngineFlags {
  cron: string;
  workflow: string;
  timeZone?: string;
  workflowVersion?: string;
  input: string[];
  overlap: string;
  paused?: boolean;
}

/** Keeps a schedule. Answers the exit code. */
export async function create(scheduleId: string, flags: CreateFlags): Promise<number> {
  const typed = parseInputs(flags.input);
  const inputs = isRemote(flags) ? typed : localPaths(typed).inputs;
  return withConnection(flags, async ({ client }) => {
    const { schedule } = await client.schedules.createSchedule({
      schedule: {
        scheduleId,
        cron: flags.cron,
        timeZone: flags.timeZone ?? "",
        workflowId: flags.workflow,
        workflowVersion: flags.workflowVersion ?? "",
        inputs,
        overlap: flags.overlap,
        paused: flags.paused === true,
      },
    });
    printSchedule(existing(schedule), flags);
    if (!isRemote(flags) && !flags.quiet && !flags.json) {
      say("note: it begins runs only while an engine runs on this store: npm run engine");
    }
  });
}

/** Lists schedules by id. Answers the exit code. */
export async function list(flags: EngineFlags & { limit: string; pageToken?: string }): Promise<number> {
  const page = { pageSize: pageSizeOf(flags.limit), pageToken: flags.pageToken ?? "" };
  return withConnection(flags, async ({ client }) => {
    const response = await client.schedules.listSchedules(page);
    if (flags.json) return printJson(toJson(ListSchedulesResponseSchema, response));
    if (response.schedules.length === 0) return printData("No schedules yet. Make one: odg schedule create --help");
    printData(table([["SCHEDULE", "CRON", "ZONE", "WORKFLOW", "NEXT", "LAST RUN"], ...response.schedules.map(rowOf)]));
    if (response.nextPageToken) printData(`more: odg schedule list --page-token ${response.nextPageToken}`);
  });
}

/** Shows one schedule. Answers the exit code. */
export async function show(scheduleId: string, flags: EngineFlags): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    printSchedule(existing((await client.schedules.getSchedule({ scheduleId })).schedule), flags);
  });
}

export const pause = setPaused(true);
export const resume = setPaused(false);

/** Forgets a schedule; its runs stay. Answers the exit code. */
export async function remove(scheduleId: string, flags: EngineFlags): Promise<number> {
  return withConnection(flags, async ({ client }) => {
    await client.schedules.deleteSchedule({ scheduleId });
    if (flags.json) printJson({});
    else printData(`${scheduleId}: it is gone; its runs stay`);
  });
}

function setPaused(paused: boolean) {
  return (scheduleId: string, flags: EngineFlags): Promise<number> =>
    withConnection(flags, async ({ client }) => {
      const before = existing((await client.schedules.getSchedule({ scheduleId })).schedule);
      const { schedule } = await client.schedules.updateSchedule({ schedule: { ...before, paused } });
      printSchedule(existing(schedule), flags);
    });
}

function existing(schedule: Schedule | undefined): Schedule {
  if (schedule) return schedule;
  throw reject(Reason.INTERNAL, { message: "the engine answered no schedule" });
}

function rowOf(schedule: Schedule): string[] {
  const { scheduleId, cron, timeZone, workflowId, lastRunId, lastFailure } = schedule;
  const last = lastFailure ? `failed: ${lastFailure}` : lastRunId || "–";
  return [scheduleId, cron, timeZone || "UTC", workflowId, nextOf(schedule), last];
}

function nextOf({ paused, nextTime }: Schedule): string {
  return paused ? "paused" : when(nextTime) || "never";
}

function printSchedule(schedule: Schedule, flags: EngineFlags): void {
  if (flags.json) {
    printJson(toJson(ScheduleSchema, schedule));
    return;
  }
  const { workflowId, workflowVersion, lastRunId, lastTime, skippedCount, lastFailure } = schedule;
  const rows = [
    ["schedule", schedule.scheduleId],
    ["cron", `${schedule.cron} (${schedule.timeZone || "UTC"})`],
    ["workflow", `${workflowId} ${workflowVersion || "(newest at each time)"}`],
    ["inputs", JSON.stringify(schedule.inputs ?? {})],
    ["overlap", schedule.overlap || "skip"],
    ["next", nextOf(schedule)],
    ["last run", lastRunId ? `${lastRunId}, for ${when(lastTime)}` : "–"],
    ["without a run", String(skippedCount)],
    ...(lastFailure ? [["last failure", lastFailure]] : []),
  ];
  printData(table(rows));
}
