import { type Client, createClient } from "@connectrpc/connect";
import { ExpertCatalogService } from "@odg/proto/odg/engine/v1/expert_catalog_service_pb";
import { type GetReportResponse, ReportFormat, RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { WorkflowService } from "@odg/proto/odg/engine/v1/workflow_service_pb";
import { type Ephemeral, type Event, type Report, type Run, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { inProcessTransport } from "@odg/rpc";
import { parseWorkflow } from "@odg/workflow";
import { systemClock } from "../clock.ts";
import { type EngineConfig, readConfig } from "../config.ts";
import { createEngine, type Engine } from "../engine.ts";

type StartRun = Parameters<Client<typeof RunService>["startRun"]>[0];

/** A run that has ended, and all that its watcher saw. */
export interface EndedRun {
  run: Run;
  events: Event[];
  ephemerals: Ephemeral[];
}

/** A real engine with a memory store, its clients, and the lines of its log. */
export interface EngineUnderTest {
  engine: Engine;
  runs: Client<typeof RunService>;
  workflows: Client<typeof WorkflowService>;
  experts: Client<typeof ExpertCatalogService>;
  log: string[];
  /** Starts a run and watches it to its end. */
  run(request: StartRun): Promise<EndedRun>;
  report(runId: string): Promise<Report>;
  close(): Promise<void>;
}

/** Starts an engine; what `config` leaves out is as on a bare laptop, without a store. */
export async function startEngine(config: Partial<EngineConfig> = {}): Promise<EngineUnderTest> {
  const log: string[] = [];
  const stream = { write: (line: string) => void log.push(line) };
  const bare: EngineConfig = { ...readConfig({}).engine, store: { kind: "memory" }, poolThreads: 2, logLevel: "debug" };
  const engine = await createEngine({ ...bare, ...config }, systemClock, stream);
  const transport = inProcessTransport(engine.routes, { logger: engine.logger });
  const runs = createClient(RunService, transport);
  return {
    engine,
    runs,
    workflows: createClient(WorkflowService, transport),
    experts: createClient(ExpertCatalogService, transport),
    log,
    run: async (request) => watchToEnd(runs, (await runs.startRun(request)).run?.runId ?? ""),
    report: async (runId) => reportIn(await runs.getReport({ runId })),
    close: () => engine.close(),
  };
}

function reportIn({ report }: GetReportResponse): Report {
  if (!report) throw new Error("the engine answered no report");
  return report;
}

/** Watches a run from its first event until the stream ends. */
export async function watchToEnd(runs: Client<typeof RunService>, runId: string): Promise<EndedRun> {
  const events: Event[] = [];
  const ephemerals: Ephemeral[] = [];
  for await (const { message } of runs.watchRun({ runId })) {
    if (message.case === "event") events.push(message.value);
    if (message.case === "ephemeral") ephemerals.push(message.value);
  }
  const { run } = await runs.getRun({ runId });
  if (!run || run.status === RunStatus.RUNNING) throw new Error(`run ${runId} has not ended`);
  return { run, events, ephemerals };
}

/** Every rendering of a report, by the name of its format. */
export async function renderings(runs: Client<typeof RunService>, runId: string): Promise<Record<string, string>> {
  const formats = {
    text: ReportFormat.TEXT,
    ansi: ReportFormat.ANSI,
    markdown: ReportFormat.MARKDOWN,
    html: ReportFormat.HTML,
  };
  const rendered: Record<string, string> = {};
  for (const [name, format] of Object.entries(formats))
    rendered[name] = (await runs.getReport({ runId, format })).rendered;
  return rendered;
}

/** A workflow of these tasks, written as people write them. */
export function workflowOf(tasks: readonly object[], workflowId = "under_test"): Workflow {
  const parsed = parseWorkflow(JSON.stringify({ workflow_id: workflowId, tasks }), "under_test.json");
  if (parsed.issues) throw new Error(parsed.issues.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return parsed.workflow;
}

/** Any message or JSON with its 64-bit integers as text: for a look at everything that it says. */
export function asText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one));
}
