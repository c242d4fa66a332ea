import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { ListRunsResponseSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, table } from "./output.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of `odg runs`. */
export interface RunsFlags extends EngineFlags {
  status?: string;
  workflow?: string;
  limit: string;
  pageToken?: string;
}

/** Lists runs, newest first. Answers the exit code. */
export async function runs(flags: RunsFlags): Promise<number> {
  const status = statusOf(flags.status);
  const pageSize = Number(flags.limit);
  if (!Number.isInteger(pageSize) || pageSize < 1)
    throw new UsageError(`--limit ${flags.limit} is no whole number from 1`);
  const { client, close } = await connect(flags);
  try {
    const response = await client.runs.listRuns({
      pageSize,
      status,
      workflowId: flags.workflow ?? "",
      pageToken: flags.pageToken ?? "",
    });
    if (flags.json) printJson(toJson(ListRunsResponseSchema, response));
    else if (response.runs.length === 0)
      printData("No runs yet. Start one: odg run onboard_dataset --input dataset=FILE");
    else {
      printData(table([["RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK", "FAILURE"], ...response.runs.map(rowOf)]));
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
    when(run.createTime),
    took(run.createTime, run.endTime),
    run.failure?.message ?? "",
  ];
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
  if (status === undefined) throw new UsageError(`--status ${name}: use running, succeeded, failed or cancelled`);
  return status;
}
