// One onboarding in this process, with the store that the command line uses by default, report included.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createEngine, readConfig } from "@odg/engine";
import { ReportFormat, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import { inProcessTransport } from "@odg/rpc";

const file = process.argv[2] ?? "";
const folder = mkdtempSync(join(tmpdir(), "odg-bench-"));
const engine = await createEngine({
  ...readConfig().engine,
  store: { kind: "embedded", folder },
  allowedPaths: [file],
  logLevel: "warn",
});
const runs = createClient(RunService, inProcessTransport(engine.routes));
const { run } = await runs.startRun({
  source: { case: "workflowId", value: "onboard_dataset" },
  inputs: { dataset: file },
});
const runId = run?.runId ?? "";
const start = performance.now();
for await (const { message } of runs.watchRun({ runId })) {
  if (message.case !== "event" || !process.env.ODG_BENCH_LAPS) continue;
  const { kind } = message.value;
  const task = kind.value && "task" in kind.value ? kind.value.task : "";
  const rss = Math.round(process.memoryUsage.rss() / 1e6);
  console.log(`${Math.round(performance.now() - start)} ms  ${rss} MB  ${kind.case} ${task}`);
}
const { report, rendered } = await runs.getReport({ runId, format: ReportFormat.HTML });
if (report?.run?.status !== RunStatus.SUCCEEDED || rendered === "") throw new Error("the run did not succeed");
await engine.close();
rmSync(folder, { recursive: true, force: true });
process.stderr.write(`peak ${process.resourceUsage().maxRSS}\n`);
