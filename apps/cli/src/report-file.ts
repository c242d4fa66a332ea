import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import type { OdgClient } from "@odg/client";
import { ReportFormat } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type Report, ReportSchema } from "@odg/proto/odg/run/v1/run_pb";
import { UsageError } from "./usage-error.ts";

const FORMATS: Record<string, ReportFormat> = {
  ".html": ReportFormat.HTML,
  ".htm": ReportFormat.HTML,
  ".md": ReportFormat.MARKDOWN,
  ".txt": ReportFormat.TEXT,
  ".json": ReportFormat.UNSPECIFIED,
};

/** @throws UsageError where the ending of a file names no format. */
export function checkReportFiles(files: readonly string[]): void {
  for (const file of files) {
    if (FORMATS[extname(file).toLowerCase()] === undefined) {
      throw new UsageError(`--report ${file}: its ending says no format; use .html, .md, .json or .txt`);
    }
  }
}

/** The report as JSON. */
export function reportJson(report: Report): object {
  return toJson(ReportSchema, report) as object;
}

/** Writes the report of a run, in the format that the file's ending names. */
export async function writeReport(client: OdgClient, runId: string, file: string): Promise<void> {
  const format = FORMATS[extname(file).toLowerCase()] ?? ReportFormat.UNSPECIFIED;
  const { report, rendered } = await client.runs.getReport({ runId, format });
  const text = format === ReportFormat.UNSPECIFIED && report ? JSON.stringify(reportJson(report), null, 2) : rendered;
  await writeFile(file, text);
}
