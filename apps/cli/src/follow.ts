import { toJson } from "@bufbuild/protobuf";
import { ReportFormat } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { type Report, type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { surroundings } from "./config.ts";
import { type Connection, type EngineFlags, isRemote } from "./connect.ts";
import { Consents } from "./consent.ts";
import { durationMs } from "./duration.ts";
import { EXIT } from "./exit-code.ts";
import { printData, printJson, say } from "./output.ts";
import { checkReportFiles, reportJson, writeReport } from "./report-file.ts";
import { UsageError } from "./usage-error.ts";
import { viewFor } from "./view.ts";

/** Flags of the verbs that follow a run to its end. */
export interface FollowFlags extends EngineFlags {
  report?: string[];
  failOn?: string;
  timeout?: string;
  detach?: boolean;
}

/** What those flags say, once they are known to be right. */
export interface FollowPlan {
  flags: FollowFlags;
  failOn: Severity | undefined;
  timeoutMs: number | undefined;
}

type Ending = "ended" | "interrupted" | "detached" | "timeout" | "unconsented";

const FAIL_ON: Record<string, Severity> = {
  warning: Severity.WARNING,
  error: Severity.ERROR,
  critical: Severity.CRITICAL,
};

/** @throws UsageError where a flag cannot be used. */
export function followPlan(flags: FollowFlags): FollowPlan {
  const failOn = thresholdOf(flags.failOn);
  const timeoutMs = flags.timeout === undefined ? undefined : durationMs("--timeout", flags.timeout);
  checkReportFiles(flags.report ?? []);
  if (flags.detach && !isRemote(flags)) {
    throw new UsageError("--detach needs an engine that goes on when this command ends: --engine URL");
  }
  return { flags, failOn, timeoutMs };
}

/** Shows a run that was just started until it ends, and its report; or only names it, where that is wanted. Answers the exit code. */
export async function accompany(connection: Connection, run: Run, plan: FollowPlan): Promise<number> {
  const { flags, failOn } = plan;
  if (flags.detach) {
    if (flags.json) printJson(toJson(RunSchema, run));
    else printData(run.runId);
    if (!flags.json && !flags.quiet) say(`the engine goes on with it; see it with: odg watch ${run.runId}`);
    return EXIT.ok;
  }
  const ending = await follow(connection, run.runId, plan);
  if (ending === "detached") return EXIT.interrupted;
  const report = await show(connection, run.runId, flags);
  if (ending === "timeout") return EXIT.timeout;
  if (ending === "unconsented") return EXIT.denied;
  return ending === "interrupted" ? EXIT.interrupted : exitOf(report, failOn);
}

/** Watches until the run ends. Ctrl-C cancels a run of this process; against an engine it detaches, and twice cancels. */
async function follow(connection: Connection, runId: string, { flags, timeoutMs }: FollowPlan): Promise<Ending> {
  const { client, inProcess } = connection;
  const view = viewFor(flags);
  const detach = new AbortController();
  let ending: Ending = "ended";
  const cancel = (how: Ending, why: string) => {
    ending = how;
    // It may have ended in the same moment; what the run came to is shown either way.
    client.runs.cancelRun({ runId, reason: why }).catch(() => undefined);
  };
  const unconsented = (why: string) => cancel("unconsented", why);
  const terminal = surroundings.canAsk ? { input: process.stdin, output: process.stderr } : undefined;
  const consents = inProcess ? new Consents({ client: connection.person, view, terminal, unconsented }) : undefined;
  let detachTimer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    if (inProcess || ending === "detached") {
      clearTimeout(detachTimer);
      cancel("interrupted", "interrupted by the user");
      return;
    }
    ending = "detached";
    say(`\nleaving the run to the engine; Ctrl-C again within 2 s cancels it. Come back with: odg watch ${runId}`);
    detachTimer = setTimeout(() => detach.abort(), 2000);
  };
  const late = () => cancel("timeout", "the time given on the command line is over");
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
  process.on("SIGINT", interrupt);
  try {
    for await (const message of client.watch(runId, { signal: detach.signal })) {
      if (message.case === "ephemeral") view.ephemeral(message.value);
      if (message.case !== "event") continue;
      view.event(message.value);
      consents?.event(message.value);
    }
  } catch (error) {
    if (!detach.signal.aborted) throw error;
  } finally {
    process.removeListener("SIGINT", interrupt);
    clearTimeout(timer);
    clearTimeout(detachTimer);
    consents?.close();
    view.done();
  }
  return ending;
}

async function show({ client }: Connection, runId: string, flags: FollowFlags): Promise<Report> {
  const format = surroundings.stdoutColor ? ReportFormat.ANSI : ReportFormat.TEXT;
  const { report, rendered } = await client.runs.getReport({ runId, format });
  if (!report) throw reject(Reason.INTERNAL, { message: "the engine answered no report" });
  if (flags.json) printJson(reportJson(report));
  else printData(`\n${rendered}`);
  for (const file of flags.report ?? []) {
    await writeReport(client, runId, file);
    if (!flags.quiet && !flags.json) say(`report written to ${file}`);
  }
  return report;
}

function exitOf(report: Report, failOn: Severity | undefined): number {
  if (report.run?.status === RunStatus.CANCELLED) return EXIT.interrupted;
  if (report.run?.status !== RunStatus.SUCCEEDED) return EXIT.runFailed;
  const worst = Math.max(0, ...report.findings.map(({ finding }) => finding?.severity ?? 0));
  return failOn !== undefined && worst >= failOn ? EXIT.findings : EXIT.ok;
}

function thresholdOf(name: string | undefined): Severity | undefined {
  if (name === undefined) return undefined;
  const severity = FAIL_ON[name];
  if (severity === undefined) throw new UsageError(`--fail-on ${name}: use ${Object.keys(FAIL_ON).join(", ")}`);
  return severity;
}
