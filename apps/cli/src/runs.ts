import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { ListRunsResponseSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Run, RunStatus, type TaskCount, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { momentMs } from "./duration.ts";
import { EXIT } from "./exit-code.ts";
import { labelsOf } from "./inputs.ts";
import { printData, printJson, table } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of `odg runs`. */
export interface RunsFlags extends EngineFlags {
  status?: string;
  workflow?: string;
  label: string[];
  since?: string;
  limit: string;
  pageToken?: string;
}

/** Lists runs, newest first. Answers the exit code. */
export async function runs(flags: RunsFlags): Promise<number> {
  const status = statusOf(flags.status);
  const pageSize = pageSizeOf(flags.limit);
  const labels = labelsOf(flags.label);
  const since = flags.since === undefined ? undefined : momentMs("--since", flags.since, Date.now());
  const { user = "", ...asking } = flags;
  const { client, close } = await connect(asking);
  try {
    const response = await client.runs.listRuns({
      pageSize,
      status,
      workflowId: flags.workflow ?? "",
      pageToken: flags.pageToken ?? "",
      labels,
      user,
      ...(since === undefined ? {} : { createTimeFrom: timestampFromMs(since) }),
    });
    if (flags.json) printJson(toJson(ListRunsResponseSchema, response));
    else if (response.runs.length === 0) printData(emptyList(flags));
    else {
      const head = ["RUN", "WORKFLOW", "STATUS", "TASKS", "STARTED", "TOOK", "USER", "FAILURE"];
      printData(table([head, ...response.runs.map(rowOf)]));
      if (response.nextPageToken) printData(`more: odg runs --page-token ${response.nextPageToken}`);
    }
    return EXIT.ok;
  } finally {
    await close();
  }
}

function rowOf(run: Run): string[] {
  return [
    run.runId,
    run.workflowId,
    RunStatus[run.status]?.toLowerCase() ?? "",
    progressOf(run),
    when(run.createTime),
    took(run.createTime, run.endTime),
    run.user || "–",
    run.failure?.message ?? "",
  ];
}

function emptyList({ status, workflow, label, since, user }: RunsFlags): string {
  const filtered = status || workflow || since || user || label.length > 0;
  return filtered ? "No run fits." : "No runs yet. Start one: odg run onboard_dataset --input dataset=FILE";
}

const ENDED = new Set([TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.CANCELLED]);

/** How many tasks have ended, of how many. */
function progressOf({ taskCounts }: Run): string {
  const sum = (counts: TaskCount[]) => counts.reduce((all, { count }) => all + count, 0);
  return taskCounts.length > 0 ? `${sum(taskCounts.filter(({ status }) => ENDED.has(status)))}/${sum(taskCounts)}` : "";
}

/** @throws UsageError */
export function pageSizeOf(limit: string): number {
  const size = Number(limit);
  if (Number.isInteger(size) && size >= 1) return size;
  throw new UsageError(`--limit ${limit} is no whole number from 1`);
}

/** Local time, to the second. */
export function when(time: Timestamp | undefined): string {
  if (!time) return "";
  return new Date(timestampMs(time)).toLocaleString("sv-SE");
}

/** Seconds between two times. */
export function took(start: Timestamp | undefined, end: Timestamp | undefined): string {
  return start && end ? `${((timestampMs(end) - timestampMs(start)) / 1000).toFixed(1)} s` : "";
}

function statusOf(name: string | undefined): RunStatus {
  if (name === undefined) return RunStatus.UNSPECIFIED;
  const status = RunStatus[name.toUpperCase() as keyof typeof RunStatus];
  if (!status) throw new UsageError(`--status ${name}: use running, paused, succeeded, failed or cancelled`);
  return status;
}
