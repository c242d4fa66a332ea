import { createHash } from "node:crypto";
import { clone, create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  type StartRunRequest,
  StartRunRequestSchema,
  type WatchRunResponse,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import {
  type Event,
  type Report,
  type Run,
  RunCancelRequestedSchema,
  RunSchema,
  type RunStarted,
  RunStartedSchema,
} from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { MACHINE_VERSION, project } from "@odg/workflow";
import { v7 as uuidv7 } from "uuid";
import type { Clock } from "../clock.ts";
import type { DatasetSession, Datasets } from "../dataset/datasets.ts";
import type { HostGate } from "../expert/host-service.ts";
import type { ExpertRegistry } from "../expert/registry.ts";
import { candidatesFor, needOf } from "../expert/router.ts";
import type { Logger } from "../logger.ts";
import { type Append, type Journal, JournalConflict, type RunFilter, type Store } from "../store/store.ts";
import { versionOf, type Workflows } from "../workflows.ts";
import { ActiveRun } from "./active-run.ts";
import { Dispatcher } from "./dispatcher.ts";
import { asReject } from "./failure.ts";
import { canonicalInputs, namedDatasets } from "./inputs.ts";
import { emailsIn } from "./redact.ts";
import { reportOf } from "./report-of.ts";
import { watchActive, watchJournal } from "./watch.ts";

/** What the runs of an engine work with. */
export interface RunsOptions {
  store: Store;
  /** Of this engine's membership. */
  fence: bigint;
  workflows: Workflows;
  registry: ExpertRegistry;
  host: HostGate;
  datasets: Datasets;
  clock: Clock;
  logger: Logger;
  /** Files that every run may open, beside what lies under the roots: what a user typed on the command line. */
  allowedPaths: string[];
}

/** All that an engine may find when it starts. */
const EVERY_RUN = 100_000;

interface Entry {
  run: ActiveRun;
  datasets: DatasetSession;
  /** Addresses that the contracts of its datasets hold: their owners want them read. */
  allowed: Set<string>;
}

/** Starts, reads, watches and cancels runs; the journal tells of those that are not under way here. */
export class Runs {
  #options: RunsOptions;
  #active = new Map<string, Entry>();
  #dispatcher: Dispatcher;

  constructor(options: RunsOptions) {
    this.#options = options;
    const { registry, host, clock, logger } = options;
    this.#dispatcher = new Dispatcher({
      registry,
      host,
      clock,
      logger,
      surroundings: (run) => {
        const entry = this.#active.get(run.runId);
        if (!entry) throw new Error(`run ${run.runId} is not under way here`);
        return { datasets: entry.datasets, allowed: () => entry.allowed };
      },
    });
  }

  /** @throws ConnectError that says what is wrong with the request, the workflow or a dataset. */
  async start(request: StartRunRequest): Promise<Run> {
    const hash = hashOf(request);
    const before = await this.#answered(request.requestId, hash);
    if (before) return before;
    const workflow = await this.#workflowOf(request);
    const { workflows, datasets, allowedPaths } = this.#options;
    const plan = workflows.compile(workflow);
    const inputs = canonicalInputs({ ...(workflow.inputs ?? {}), ...(request.inputs ?? {}) });
    this.#requireDataset(workflow, inputs);
    const session = datasets.session({ allowedPaths });
    try {
      const allowed = await openNamed(session, namedDatasets(workflow, inputs));
      const started = create(RunStartedSchema, {
        workflow,
        workflowVersion: versionOf(workflow),
        plan,
        machineVersion: MACHINE_VERSION,
        inputs,
        pins: this.#pins(workflow),
        labels: request.labels,
        requestId: request.requestId,
      });
      const run = this.#track(uuidv7(), { datasets: session, allowed });
      return await this.#begin(run, started, request.requestId ? { id: request.requestId, hash } : undefined);
    } catch (error) {
      await session.close();
      const first = error instanceof JournalConflict ? await this.#answered(request.requestId, hash) : undefined;
      if (first) return first;
      throw error;
    }
  }

  async #begin(run: ActiveRun, started: RunStarted, request: Append["request"]): Promise<Run> {
    try {
      await run.start(started, request);
      return clone(RunSchema, run.projection.run());
    } catch (error) {
      run.stop(error);
      throw error;
    }
  }

  /** With the outputs of its tasks. @throws ConnectError with NOT_FOUND. */
  async get(runId: string): Promise<Run> {
    const active = this.#active.get(runId);
    return active ? clone(RunSchema, active.run.projection.run()) : project(await this.#eventsOf(runId));
  }

  list(filter: RunFilter): Promise<Run[]> {
    return this.#options.store.listRuns(filter);
  }

  /** @throws ConnectError with NOT_FOUND. */
  async report(runId: string): Promise<Report> {
    return reportOf(this.#active.get(runId)?.run.events ?? (await this.#eventsOf(runId)));
  }

  /** Resolves with the run once it has ended, here or before. */
  async ended(runId: string): Promise<Run> {
    const active = this.#active.get(runId);
    return active ? active.run.ended : this.get(runId);
  }

  /** @throws ConnectError with NOT_FOUND, or STATE_INVALID where the run has ended. */
  async cancel(runId: string, reason: string): Promise<Run> {
    const active = this.#active.get(runId);
    if (!active) {
      await this.#eventsOf(runId);
      throw reject(Reason.STATE_INVALID, { message: "the run has ended; it stays as it is", field: "run_id" });
    }
    const { run } = active;
    await new Promise<void>((resolve) => {
      run.record({ case: "runCancelRequested", value: create(RunCancelRequestedSchema, { reason }) }, resolve);
      run.ended.then(
        () => resolve(),
        () => resolve(),
      );
    });
    return clone(RunSchema, run.projection.run());
  }

  /** Events after a place and what comes, until the run ends. @throws ConnectError with NOT_FOUND or RESUME_EXPIRED. */
  async *watch(runId: string, afterSeq: bigint, signal: AbortSignal): AsyncGenerator<WatchRunResponse> {
    const active = this.#active.get(runId);
    const { store, clock } = this.#options;
    if (active) yield* watchActive(active.run, { afterSeq, signal, clock });
    else yield* watchJournal(store, runId, { afterSeq, signal, clock });
  }

  /** Takes up what an engine before this one left: goes on with it, or cancels it where its owner is gone for good. */
  async recover(mode: "resume" | "cancel"): Promise<void> {
    const { store, datasets, allowedPaths, logger } = this.#options;
    for (const { runId, fence } of await store.takeRuns(EVERY_RUN)) {
      const events = await store.readEvents(runId, 0n);
      const session = datasets.session({ allowedPaths });
      const run = this.#track(runId, { datasets: session, allowed: new Set() }, fence);
      logger.info({ runId, mode }, "taking up a run that was left");
      if (mode === "resume") run.resume(events);
      else run.cancelLeft(events, "the process that drove this run ended");
    }
  }

  /** Stops driving; what is under way stays in its journal. */
  async close(): Promise<void> {
    this.#dispatcher.stop();
    const entries = [...this.#active.values()];
    for (const { run } of entries) run.stop(new Error("the engine is closing"));
    await Promise.all(entries.map(({ datasets }) => datasets.close()));
  }

  #track(runId: string, around: Omit<Entry, "run">, fence = this.#options.fence): ActiveRun {
    const { store, clock, logger } = this.#options;
    const journal: Journal = {
      append: (append) => store.append({ ...append, fence }),
      readEvents: (...place) => store.readEvents(...place),
    };
    const run = new ActiveRun(runId, { journal, performer: this.#dispatcher, clock, logger });
    const entry = { run, ...around };
    this.#active.set(runId, entry);
    const forget = async () => {
      this.#active.delete(runId);
      await entry.datasets.close();
    };
    run.ended.then(forget, forget).catch((err: unknown) => logger.warn({ runId, err }, "it was not tidied up"));
    return run;
  }

  async #eventsOf(runId: string): Promise<Event[]> {
    const events = await this.#options.store.readEvents(runId, 0n);
    if (events.length === 0) throw reject(Reason.NOT_FOUND, { message: "there is no such run", field: "run_id" });
    return events;
  }

  async #answered(requestId: string, hash: string): Promise<Run | undefined> {
    const found = requestId ? await this.#options.store.findRequest(requestId) : undefined;
    if (!found) return undefined;
    if (found.hash === hash) return this.get(found.runId);
    throw reject(Reason.IDEMPOTENCY_CONFLICT, {
      message: "this request_id came before with another body",
      field: "request_id",
    });
  }

  async #workflowOf({ source, workflowVersion }: StartRunRequest): Promise<Workflow> {
    if (source.case === "workflow") return source.value;
    return (await this.#options.workflows.get(source.value ?? "", workflowVersion)).workflow;
  }

  #pins(workflow: Workflow): Record<string, string> {
    const experts = this.#options.registry.list();
    return Object.fromEntries(
      workflow.tasks
        .filter((task) => task.expert)
        .flatMap((task) => candidatesFor(needOf(task), experts).map(({ expert }) => [task.id, expert.id])),
    );
  }

  /** Says at once what would otherwise fail the first task: nobody named the data. */
  #requireDataset(workflow: Workflow, inputs: JsonObject): void {
    const named = [inputs, ...workflow.tasks.map((task) => canonicalInputs(task.inputs ?? {}))];
    if (named.some(({ dataset }) => dataset !== undefined)) return;
    const experts = this.#options.registry.list();
    const wants = workflow.tasks.some((task) =>
      candidatesFor(needOf(task), experts).some(({ expert, action }) => {
        const schema = expert.description.actions.find(({ name }) => name === action)?.inputSchema;
        return Array.isArray(schema?.required) && schema.required.includes("dataset");
      }),
    );
    if (!wants) return;
    throw reject(Reason.INPUT_INVALID, {
      message: "this workflow needs the input dataset: a path or a URI",
      field: "inputs.dataset",
      hint: "For example: odg run onboard_dataset --input dataset=data/orders.parquet",
    });
  }
}

async function openNamed(session: DatasetSession, named: { uri: string; field: string }[]): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const { uri, field } of named) {
    try {
      const { contract } = await session.open(uri);
      for (const address of emailsIn(contract ?? {})) allowed.add(address);
    } catch (error) {
      throw asReject(error, field);
    }
  }
  return allowed;
}

function hashOf(request: StartRunRequest): string {
  const body = clone(StartRunRequestSchema, request);
  body.requestId = "";
  return createHash("sha256").update(toBinary(StartRunRequestSchema, body)).digest("hex");
}
