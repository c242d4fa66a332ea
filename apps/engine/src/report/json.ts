import { clone, fromJson, type JsonValue, toJsonString } from "@bufbuild/protobuf";
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
 * A copy without what differs between two runs over equal input: run id and the time in it, also where an expert wrote them into its
 * output, places in the journal, times and durations. Two runs
 * of one workflow over the same data with the same sampling seed are equal in it.
 */
export function stableReport(report: Report): Report {
  const copy = clone(ReportSchema, report);
  if (copy.run !== undefined) {
    const marks = marksOf(copy.run.runId);
    for (const task of copy.run.tasks) task.output = withoutMarks(task.output, marks);
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

/** The run's id, and the time that a UUID of version 7 begins with: RFC 9562, section 5.7. */
function marksOf(runId: string): string[] {
  const ms = Number.parseInt(runId.replaceAll("-", "").slice(0, 12), 16);
  return [runId, ...(Number.isNaN(ms) ? [] : [new Date(ms).toISOString()])].filter((mark) => mark !== "");
}

function withoutMarks(output: Value | undefined, marks: readonly string[]): Value | undefined {
  if (output === undefined) return undefined;
  const text = JSON.stringify(plainValue(output));
  const stripped = marks.reduce((rest, mark) => rest.replaceAll(mark, ""), text);
  return stripped === text ? output : fromJson(ValueSchema, JSON.parse(stripped) as JsonValue);
}
