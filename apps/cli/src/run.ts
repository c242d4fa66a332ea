import { ReportFormat } from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { Severity } from "@odg/proto/odg/expert/v1/finding_pb";
import { type Report, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { reject } from "@odg/rpc";
import { surroundings } from "./config.ts";
import { type Connection, connect, type EngineFlags } from "./connect.ts";
import { EXIT } from "./exit-code.ts";
import { localPaths, parseInputs } from "./inputs.ts";
import { printData, printJson, say } from "./output.ts";
import { checkReportFiles, reportJson, writeReport } from "./report-file.ts";
import { UsageError } from "./usage-error.ts";
import { viewFor } from "./view.ts";
import { readSource } from "./workflow-source.ts";

/** Flags of `odg run`. */
export interface RunFlags extends EngineFlags {
  input: string[];
  report: string[];
  failOn?: string;
  timeout?: string;
}

const FAIL_ON: Record<string, Severity> = {
  warning: Severity.WARNING,
  error: Severity.ERROR,
  critical: Severity.CRITICAL,
};

/** Runs a workflow, shows it, prints its report. Answers the exit code. */
export async function run(argument: string, flags: RunFlags): Promise<number> {
  const typed = parseInputs(flags.input);
  const failOn = thresholdOf(flags.failOn);
  const timeoutMs = timeoutOf(flags.timeout);
  checkReportFiles(flags.report);
  const source = await readSource(argument);
  const local = localPaths(typed);
  const remote = flags.engine !== undefined || surroundings.engineUrl !== undefined;
  const connection = await connect(flags, local.paths);
  try {
    const started = await connection.client.startRun({ source, inputs: remote ? typed : local.inputs });
    const ending = await follow(connection, { runId: started.runId, flags, timeoutMs });
    if (ending === "detached") return EXIT.interrupted;
    const report = await show(connection, started.runId, flags);
    if (ending === "timeout") return EXIT.timeout;
    if (ending === "interrupted") return EXIT.interrupted;
    return exitOf(report, failOn);
  } finally {
    await connection.close();
  }
}

type Ending = "ended" | "interrupted" | "detached" | "timeout";

/** Watches until the run ends. Ctrl-C cancels a run of this process; against an engine it detaches, and twice cancels. */
async function follow(
  { client, inProcess }: Connection,
  { runId, flags, timeoutMs }: { runId: string; flags: RunFlags; timeoutMs: number | undefined },
): Promise<Ending> {
  const view = viewFor(flags);
  const detach = new AbortController();
  let ending: Ending = "ended";
  const cancel = (why: string) => {
    // It may have ended in the same moment; what the run came to is shown either way.
    client.runs.cancelRun({ runId, reason: why }).catch(() => undefined);
  };
  let detachTimer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    if (inProcess || ending === "detached") {
      clearTimeout(detachTimer);
      ending = "interrupted";
      cancel("interrupted by the user");
      return;
    }
    ending = "detached";
    say(`\nleaving the run to the engine; Ctrl-C again within 2 s cancels it. Come back with: odg get ${runId}`);
    detachTimer = setTimeout(() => detach.abort(), 2000);
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          ending = "timeout";
          cancel("the time given on the command line is over");
        }, timeoutMs);
  process.on("SIGINT", interrupt);
  try {
    for await (const message of client.watch(runId, { signal: detach.signal })) {
      if (message.case === "event") view.event(message.value);
      else if (message.case === "ephemeral") view.ephemeral(message.value);
    }
  } catch (error) {
    if (!detach.signal.aborted) throw error;
  } finally {
    process.removeListener("SIGINT", interrupt);
    clearTimeout(timer);
    clearTimeout(detachTimer);
    view.done();
  }
  return ending;
}

async function show({ client }: Connection, runId: string, flags: RunFlags): Promise<Report> {
  const format = surroundings.stdoutColor ? ReportFormat.ANSI : ReportFormat.TEXT;
  const { report, rendered } = await client.runs.getReport({ runId, format });
  if (!report) throw reject(Reason.INTERNAL, { message: "the engine answered no report" });
  if (flags.json) printJson(reportJson(report));
  else printData(`\n${rendered}`);
  for (const file of flags.report) {
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

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (!match) throw new UsageError(`--timeout ${text}: use a number of seconds, or 500ms, 30s, 5m, 1h`);
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(match[2] ?? "s") as "ms" | "s" | "m" | "h"];
}
