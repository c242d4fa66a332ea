import { toJson } from "@bufbuild/protobuf";
import type { OdgClient } from "@odg/client";
import { type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { connect, type EngineFlags } from "./connect.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { printData, printError, printJson, table } from "./output.ts";

/** Flags of `odg pause`, `odg resume` and `odg cancel`. */
export interface ControlFlags extends EngineFlags {
  reason?: string;
}

type Control = (client: OdgClient, runId: string, reason: string) => Promise<{ run?: Run | undefined }>;

export const pause = each((client, runId, reason) => client.runs.pauseRun({ runId, reason }));
export const resume = each((client, runId) => client.runs.resumeRun({ runId }));
export const cancel = each((client, runId, reason) => client.runs.cancelRun({ runId, reason }));

/** Does it to each run; one that refuses keeps none of the others from it. Answers the exit code of the first refusal. */
function each(control: Control) {
  return async (runIds: string[], flags: ControlFlags): Promise<number> => {
    const { client, close } = await connect(flags);
    const runs: Run[] = [];
    let code: number = EXIT.ok;
    try {
      for (const runId of runIds) {
        try {
          const { run } = await control(client, runId, flags.reason ?? "");
          if (run) runs.push(run);
        } catch (error) {
          printError(error, flags.json === true);
          if (code === EXIT.ok) code = exitCodeOf(error);
        }
      }
    } finally {
      await close();
    }
    if (flags.json) printJson(runs.map((run) => toJson(RunSchema, run)));
    else if (runs.length > 0) printData(table(runs.map((run) => [run.runId, run.workflowId, statusOf(run)])));
    return code;
  };
}

function statusOf({ status }: Run): string {
  return RunStatus[status]?.toLowerCase() ?? "";
}
