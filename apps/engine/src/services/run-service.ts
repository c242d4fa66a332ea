import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { GetReportResponseSchema, ReportFormat, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { Report } from "@odg/proto/odg/run/v1/run_pb";
import { kDraining, reject } from "@odg/rpc";
import { pageSize, pageToken, placeOf } from "../page-token.ts";
import { renderHtml } from "../report/html.ts";
import { renderMarkdown } from "../report/markdown.ts";
import { renderText } from "../report/text.ts";
import type { Runs } from "../run/runs.ts";

const RENDER: Record<ReportFormat, (report: Report) => string> = {
  [ReportFormat.UNSPECIFIED]: () => "",
  [ReportFormat.TEXT]: (report) => renderText(report, { columns: 100, color: false }),
  [ReportFormat.ANSI]: (report) => renderText(report, { columns: 100, color: true }),
  [ReportFormat.MARKDOWN]: renderMarkdown,
  [ReportFormat.HTML]: renderHtml,
};

import { adapterErrors } from "../run/failure.ts";

/** odg.engine.v1.RunService. */
export function runServiceRoutes(runs: Runs) {
  return (router: ConnectRouter): void => {
    router.service(
      RunService,
      {
        startRun: async (request) => ({ run: await runs.start(request) }),
        getRun: async ({ runId }) => ({ run: await runs.get(runId) }),
        listRuns: async (request) => {
          const list = `runs\n${request.workflowId}\n${request.status}`;
          const limit = pageSize(request.pageSize);
          const before = placeOf(list, request.pageToken);
          const found = await runs.list({
            limit: limit + 1,
            ...(before ? { before } : {}),
            ...(request.workflowId ? { workflowId: request.workflowId } : {}),
            ...(request.status ? { status: request.status } : {}),
          });
          const page = found.slice(0, limit);
          const last = page.at(-1);
          return { runs: page, nextPageToken: found.length > limit && last ? pageToken(list, last.runId) : "" };
        },
        watchRun: async function* ({ runId, afterSeq }, { signal, values }) {
          const draining = values.get(kDraining);
          yield* runs.watch(runId, afterSeq, AbortSignal.any([signal, draining]));
          // A stream that lives as long as a run must not hold up the server's end: the client resumes elsewhere.
          if (draining.aborted)
            throw reject(Reason.UNAVAILABLE, { message: "the server is stopping", retryAfterMs: 1000 });
        },
        cancelRun: async ({ runId, reason }) => ({ run: await runs.cancel(runId, reason) }),
        getReport: async ({ runId, format }) => {
          const report = await runs.report(runId);
          return create(GetReportResponseSchema, { report, rendered: RENDER[format](report) });
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}
