import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import {
  GetReportResponseSchema,
  type ListRunsRequest,
  ReportFormat,
  RunService,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ApprovalStatus, type Report } from "@odg/proto/odg/run/v1/run_pb";
import { kDraining, reject } from "@odg/rpc";
import * as z from "zod";
import { pageSize, pageToken, placeOf } from "../page-token.ts";
import { renderHtml } from "../report/html.ts";
import { renderMarkdown } from "../report/markdown.ts";
import { renderText } from "../report/text.ts";
import { adapterErrors } from "../run/failure.ts";
import type { Runs } from "../run/runs.ts";
import type { RunFilter } from "../store/store.ts";
import { userOf } from "./user.ts";

const RENDER: Record<ReportFormat, (report: Report) => string> = {
  [ReportFormat.UNSPECIFIED]: () => "",
  [ReportFormat.TEXT]: (report) => renderText(report, { columns: 100, color: false }),
  [ReportFormat.ANSI]: (report) => renderText(report, { columns: 100, color: true }),
  [ReportFormat.MARKDOWN]: renderMarkdown,
  [ReportFormat.HTML]: renderHtml,
};

/** odg.engine.v1.RunService. */
export function runServiceRoutes(runs: Runs) {
  return (router: ConnectRouter): void => {
    router.service(
      RunService,
      {
        startRun: async (request, call) => ({ run: await runs.start(request, userOf(call)) }),
        getRun: async ({ runId }) => ({ run: await runs.get(runId) }),
        listRuns: async (request) => {
          const filter = filterOf(request);
          const list = `runs\n${JSON.stringify(filter)}`;
          const limit = pageSize(request.pageSize);
          const before = placed(runPlace, list, request.pageToken);
          const found = await runs.list({ ...filter, limit: limit + 1, ...(before ? { before } : {}) });
          const page = found.slice(0, limit);
          const last = page.at(-1);
          return { runs: page, nextPageToken: found.length > limit && last ? pageToken(list, last.runId) : "" };
        },
        watchRun: async function* ({ runId, afterSeq }, { signal, values }) {
          const draining = values.get(kDraining);
          yield* runs.watch(runId, afterSeq, AbortSignal.any([signal, draining]));
          // A stream that lives as long as a run must not hold up the server's end: the client resumes elsewhere.
          if (draining.aborted) throw stopping();
        },
        cancelRun: async ({ runId, reason }, call) => ({
          run: await runs.control(runId, { kind: "cancel", reason, user: userOf(call) }),
        }),
        pauseRun: async ({ runId, reason }, call) => ({
          run: await runs.control(runId, { kind: "pause", reason, user: userOf(call) }),
        }),
        resumeRun: async ({ runId }, call) => ({
          run: await runs.control(runId, { kind: "resume", user: userOf(call) }),
        }),
        forkRun: async (request, call) => ({ run: await runs.fork(request, userOf(call)) }),
        listApprovals: async (request) => {
          const status = request.status || ApprovalStatus.PENDING;
          const { runId } = request;
          const list = `approvals\n${status}\n${runId}`;
          const limit = pageSize(request.pageSize);
          const after = placed(approvalPlace, list, request.pageToken);
          const filter = { status, limit: limit + 1, ...(runId ? { runId } : {}), ...(after ? { after } : {}) };
          const found = await runs.listApprovals(filter);
          const page = found.slice(0, limit);
          const last = page.at(-1);
          return {
            approvals: page.map(({ approval }) => approval),
            nextPageToken: found.length > limit && last ? pageToken(list, JSON.stringify(last.place)) : "",
          };
        },
        decideApproval: async (request, call) => ({ approval: await runs.decide(request, userOf(call)) }),
        getTaskOutput: async ({ runId, taskId }) => {
          const output = await runs.output(runId, taskId);
          return output ? { output } : {};
        },
        getRunContext: async ({ runId }) => ({ entries: await runs.context(runId) }),
        watchRunContext: async function* ({ runId, keyPrefix, afterSeq }, { signal, values }) {
          const draining = values.get(kDraining);
          const keys = { keyPrefix, afterSeq };
          for await (const entry of runs.watchContext(runId, keys, AbortSignal.any([signal, draining])))
            yield { entry };
          if (draining.aborted) throw stopping();
        },
        getReport: async ({ runId, format }) => {
          const report = await runs.report(runId);
          return create(GetReportResponseSchema, { report, rendered: RENDER[format](report) });
        },
      },
      { interceptors: [adapterErrors] },
    );
  };
}

function stopping() {
  return reject(Reason.UNAVAILABLE, { message: "the server is stopping", retryAfterMs: 1000 });
}

function filterOf(request: ListRunsRequest): Omit<RunFilter, "before" | "limit"> {
  const { workflowId, status, labels, user, createTimeFrom, createTimeBefore } = request;
  return {
    ...(workflowId ? { workflowId } : {}),
    ...(status ? { status } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(user ? { user } : {}),
    ...(createTimeFrom ? { createdFromMs: timestampMs(createTimeFrom) } : {}),
    ...(createTimeBefore ? { createdBeforeMs: timestampMs(createTimeBefore) } : {}),
  };
}

const runPlace = z.uuid();
// The place of a consent, as its token holds it.
const approvalPlace = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: "no JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ requestMs: z.number(), runId: z.uuid(), task: z.int().min(0) }));

/** The check of a token can be forged by whoever reads the code: what it holds is checked as well. */
function placed<T extends z.ZodType>(schema: T, list: string, token: string): z.output<T> | undefined {
  const place = placeOf(list, token);
  if (place === undefined) return undefined;
  const parsed = schema.safeParse(place);
  if (parsed.success) return parsed.data;
  throw reject(Reason.BAD_PAGE_TOKEN, { message: "the page token names no place of this list", field: "page_token" });
}
