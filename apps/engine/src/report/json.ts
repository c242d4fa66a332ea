import { clone, fromJson, toJsonString } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Report, ReportSchema, type TaskState } from "@odg/proto/odg/run/v1/run_pb";
import { plainValue } from "./plain-value.ts";

/** The report in protobuf's canonical JSON, indented by two spaces, with a line break at its end. */
export function renderJson(report: Report): string {
  const copy = clone(ReportSchema, report);
  for (const task of copy.run?.tasks ?? []) task.output = writable(task.output);
  for (const entry of copy.context) entry.value = writable(entry.value);
  return `${toJsonString(ReportSchema, copy, { prettySpaces: 2 })}\n`;
}

/** What an expert answered may hold what JSON cannot. */
function writable(value: Value | undefined): Value | undefined {
  return value === undefined ? undefined : fromJson(ValueSchema, plainValue(value));
}

/**
 * A copy without what differs between two runs over equal input: run id, places in the journal, times and durations. Two runs
 * of one workflow over the same data with the same sampling seed are equal in it.
 */
export function stableReport(report: Report): Report {
  const copy = clone(ReportSchema, report);
  if (copy.run !== undefined) {
    copy.run.runId = "";
    copy.run.lastSeq = 0n;
    copy.run.createTime = undefined;
    copy.run.endTime = undefined;
    copy.run.tasks.forEach(forgetTimes);
  }
  for (const profile of copy.profiles) profile.durationMs = 0;
  for (const entry of copy.context) entry.seq = 0n;
  return copy;
}

function forgetTimes(task: TaskState): void {
  task.readyTime = undefined;
  task.startTime = undefined;
  task.endTime = undefined;
}
