import { toJson } from "@bufbuild/protobuf";
import { ReportFormat } from "@odg/proto/odg/engine/v1/run_service_pb";
import { RunSchema, RunStatus, type TaskState, TaskStatus } from "@odg/proto/odg/run/v1/run_pb";
import { surroundings } from "./config.ts";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, say, table } from "./output.ts";
import { checkReportFiles, writeReport } from "./report-file.ts";
import { took, when } from "./runs.ts";

/** Shows one run, and writes its report where asked to. Answers the exit code. */
export async function get(runId: string, flags: EngineFlags & { report: string[] }): Promise<number> {
  checkReportFiles(flags.report);
  const { client, close } = await connect(flags);
  try {
    const { run } = await client.runs.getRun({ runId });
    if (!run) return EXIT.notFound;
    if (flags.json) printJson(toJson(RunSchema, run));
    else {
      const took$ = took(run.createTime, run.endTime);
      printData(
        `${run.workflowId} · ${RunStatus[run.status]?.toLowerCase()} · ${when(run.createTime)}${took$ ? ` · ${took$}` : ""}`,
      );
      const rows = run.tasks.map((task) => [
        `  ${task.taskId}`,
        task.expert,
        TaskStatus[task.status]?.toLowerCase() ?? "",
        took(task.startTime, task.endTime),
        detailOf(task),
      ]);
      printData(table(rows));
      const format = surroundings.stdoutColor ? ReportFormat.ANSI : ReportFormat.TEXT;
      if (run.endTime) printData(`\n${(await client.runs.getReport({ runId, format })).rendered}`);
    }
    for (const file of flags.report) {
      await writeReport(client, runId, file);
      if (!flags.quiet && !flags.json) say(`report written to ${file}`);
    }
    return EXIT.ok;
  } finally {
    await close();
  }
}

function detailOf({ status, approval, reusedFrom, summary, failure }: TaskState): string {
  if (status === TaskStatus.WAITING_APPROVAL) return approval?.question ?? "";
  const taken = reusedFrom ? `taken over from ${reusedFrom}: ` : "";
  return `${taken}${summary || failure?.message || ""}`;
}
