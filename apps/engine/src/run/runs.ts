import { createHash } from "node:crypto";
import { clone, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import {
  type DecideApprovalRequest,
  type ForkRunRequest,
  ForkRunRequestSchema,
  type StartRunRequest,
  StartRunRequestSchema,
  type WatchRunResponse,
} from "@odg/proto/odg/engine/v1/run_service_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import type { ContextEntry } from "@odg/proto/odg/expert/v1/expert_pb";
import { type ApprovalState, type Report, type Run, RunSchema, RunStatus } from "@odg/proto/odg/run/v1/run_pb";
import type { Workflow } from "@odg/proto/odg/workflow/v1/workflow_pb";
import { reject } from "@odg/rpc";
import { v7 as uuidv7 } from "uuid";
import type { Clock } from "../clock.ts";
import type { HostGate } from "../expert/host-service.ts";
import type { Logger } from "../logger.ts";
import type { Lease } from "../store/lease.ts";
import {
  type Append,
  type ApprovalFilter,
  JournalConflict,
  LeaseLost,
  type ListedApproval,
  type RunFilter,
  type Store,
} from "../store/store.ts";
import { ActiveRun } from "./active-run.ts";
import { Admission, type AdmissionOptions, type Admitted, type Application } from "./admission.ts";
import { judge } from "./approvals.ts";
import { readValue } from "./blobs.ts";
import { type ChildHost, ChildRuns } from "./child-runs.ts";
import { answerControl, askDriver, type ControlRequest, controlRun, hasEnded } from "./control.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { WeightOf } from "./fair-queue.ts";
import { forkOf } from "./forks.ts";
import { eventsOf, loadRun, noSuchRun, profilesOf } from "./load-run.ts";
import { Membership, NotForThisEngine } from "./membership.ts";
import { reportOf } from "./report-of.ts";
import { ReusedResults } from "./results.ts";
import { watchActive, watchJournal } from "./watch.ts";
import { type WatchedKeys, watchContext } from "./watch-context.ts";

/** What the runs of an engine work with. */
export interface RunsOptions extends AdmissionOptions {
  store: Store;
  host: HostGate;
  clock: Clock;
  logger: Logger;
  /** The engine's name among those that share the store. */
  name: string;
  /** How much a user gets beside another; alike where absent. */
  weightOf?: WeightOf;
}

type Entry = Omit<Admitted, "started"> & { run: ActiveRun };

/** Between two looks at a run that another engine drives. */
const POLL_MS = 250;

/** Starts, reads, watches and controls runs; the journal tells of those that are not under way here. */
export class Runs implements ChildHost {
  #options: RunsOptions;
  #active = new Map<string, Entry>();
  #admission: Admission;
  #dispatcher: Dispatcher;
  #membership: Membership;
  #closing = false;
  #mode: "resume" | "cancel" = "resume";

  constructor(options: RunsOptions) {
    this.#options = options;
    const { store, logger, clock, name, workflows, weightOf = () => 1 } = options;
    this.#admission = new Admission(options);
    this.#dispatcher = new Dispatcher({
      ...options,
      weightOf,
      children: new ChildRuns({ host: this, store, workflows, clock, logger }),
      reused: new ReusedResults(store),
      surroundings: (run) => {
        const entry = this.#active.get(run.runId);
        if (!entry) throw new Error(`run ${run.runId} is not under way here`);
        return { datasets: entry.datasets, allowed: () => entry.allowed };
      },
    });
    this.#membership = new Membership({
      store,
      name,
      clock,
      logger,
      takeUp: (lease) => this.#takeUp(lease),
      answer: (request) => answerControl(this.#active.get(request.runId)?.run, request),
      lost: () => this.#stopAll(new Error("another engine runs under this name")),
    });
  }

  /**
   * Joins the engines of the store and takes up what was left: goes on with it, cancels it where its owner is gone for good, or leaves
   * it to others.
   */
  async open(leftRuns: "resume" | "cancel" | "leave"): Promise<void> {
    await this.#membership.join();
    if (leftRuns === "leave") return;
    this.#mode = leftRuns;
    await this.#membership.takeAll();
    if (leftRuns === "resume") this.#membership.watch();
  }

  /** @throws ConnectError that says what is wrong with the request, the workflow or a dataset. */
  async start(request: StartRunRequest, user = ""): Promise<Run> {
    const hash = hashOf(StartRunRequestSchema, request, user);
    return this.#once(request.requestId, hash, async () => ({
      workflow: await this.#workflowOf(request),
      inputs: request.inputs ?? {},
      labels: request.labels,
      user,
      priority: request.priority,
      requestId: request.requestId,
    }));
  }

  /** @throws ConnectError with NOT_FOUND, STATE_INVALID, or as {@link start} */
  async fork(request: ForkRunRequest, user = ""): Promise<Run> {
    const hash = hashOf(ForkRunRequestSchema, request, user);
    return this.#once(request.requestId, hash, async () => {
      const { started, projection } = await loadRun(this.#options.store, request.runId);
      return forkOf({ started, run: projection.run() }, request, user);
    });
  }

  async startChild(runId: string, application: Application): Promise<void> {
    if (this.#active.has(runId) || (await this.#options.store.getRun(runId))) return;
    const admitted = await this.#admission.admit(application);
    try {
      await this.#begin(runId, admitted);
    } catch (error) {
      if (!(error instanceof JournalConflict)) throw error;
    }
  }

  /** With the outputs of its tasks. @throws ConnectError with NOT_FOUND. */
  async get(runId: string): Promise<Run> {
    const active = this.#active.get(runId);
    if (active) return clone(RunSchema, active.run.projection.run());
    return (await loadRun(this.#options.store, runId)).projection.run();
  }

  list(filter: RunFilter): Promise<Run[]> {
    return this.#options.store.listRuns(filter);
  }

  /** Oldest first. */
  listApprovals(filter: ApprovalFilter): Promise<ListedApproval[]> {
    return this.#options.store.listApprovals(filter);
  }

  /** @throws ConnectError with NOT_FOUND. */
  async report(runId: string): Promise<Report> {
    if (!this.#active.has(runId) && !(await this.#options.store.getRun(runId))) throw noSuchRun();
    return reportOf(eventsOf(this.#options.store, runId));
  }

  /** What a task answered, wherever it is kept; undefined where there is nothing. @throws ConnectError with NOT_FOUND. */
  async output(runId: string, taskId: string): Promise<Value | undefined> {
    const task = (await this.get(runId)).tasks.find((one) => one.taskId === taskId);
    if (!task) throw reject(Reason.NOT_FOUND, { message: "the run has no such task", field: "task_id" });
    return task.outputBlob ? readValue(this.#options.store, task.outputBlob) : task.output;
  }

  /** What the tasks of a run share, by key. @throws ConnectError with NOT_FOUND. */
  async context(runId: string): Promise<ContextEntry[]> {
    const active = this.#active.get(runId);
    const projection = active?.run.projection ?? (await loadRun(this.#options.store, runId)).projection;
    return projection.context.entries();
  }

  /** Every key as it stands, then each change, until the run ends. @throws ConnectError with NOT_FOUND. */
  async *watchContext(runId: string, keys: WatchedKeys, signal: AbortSignal): AsyncGenerator<ContextEntry> {
    const { projection } = await loadRun(this.#options.store, runId);
    yield* watchContext(projection, this.watch(runId, projection.run().lastSeq, signal), keys);
  }

  /** Resolves with the run once it has ended, wherever it is driven. @throws the signal's reason; ConnectError with NOT_FOUND */
  async ended(runId: string, signal: AbortSignal = new AbortController().signal): Promise<Run> {
    signal.throwIfAborted();
    const active = this.#active.get(runId);
    const { store, clock } = this.#options;
    if (active) {
      const aborted = new Promise<never>((_, refuse) => {
        signal.addEventListener("abort", () => refuse(signal.reason), { once: true });
      });
      const ended = await Promise.race([active.run.ended.catch(() => undefined), aborted]);
      if (ended) return ended;
    }
    for (;;) {
      signal.throwIfAborted();
      const run = await store.getRun(runId);
      if (!run) throw noSuchRun();
      if (run.endTime) return this.get(runId);
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
    }
  }

  /**
   * Cancels, pauses or resumes a run, here or on the engine that drives it.
   *
   * @throws ConnectError with NOT_FOUND, STATE_INVALID where the run has ended, or UNAVAILABLE where its engine does not answer
   */
  async control(runId: string, request: ControlRequest): Promise<Run> {
    const active = this.#active.get(runId)?.run;
    if (active && !active.stopped) {
      await controlRun(active, request);
      return clone(RunSchema, active.projection.run());
    }
    const kept = await this.#options.store.getRun(runId);
    if (!kept) throw noSuchRun();
    if (kept.endTime) throw hasEnded();
    await askDriver(this.#options, runId, request);
    return this.get(runId);
  }

  /** @throws ConnectError as {@link control} */
  cancel(runId: string, reason: string, user = ""): Promise<Run> {
    return this.control(runId, { kind: "cancel", reason, user });
  }

  /** @throws ConnectError as {@link control}, or with POLICY_DENIED */
  async decide(request: DecideApprovalRequest, user: string): Promise<ApprovalState> {
    const { runId, taskId, approve, reason } = request;
    const decision = { taskId, approve, reason, user };
    // What was decided before is answered as it was, also where the run has ended since.
    const before = judge(await this.get(runId), decision);
    if (before) return before;
    const now = judge(await this.control(runId, { kind: "decide", ...decision }), decision);
    if (now) return now;
    throw reject(Reason.UNAVAILABLE, { message: "the decision is not to be seen yet: ask again", retryAfterMs: 1000 });
  }

  async cancelChild(runId: string, reason: string): Promise<void> {
    const run = this.#active.get(runId)?.run.projection.run() ?? (await this.#options.store.getRun(runId));
    if (run && !run.endTime) await this.control(runId, { kind: "cancel", reason, user: "" });
  }

  /** Events after a place and what comes, until the run ends. @throws ConnectError with NOT_FOUND or RESUME_EXPIRED. */
  async *watch(runId: string, afterSeq: bigint, signal: AbortSignal): AsyncGenerator<WatchRunResponse> {
    const active = this.#active.get(runId)?.run;
    const { store, clock } = this.#options;
    let last = afterSeq;
    if (active) {
      for await (const response of watchActive(active, store, { afterSeq, signal, clock })) {
        if (response.message.case === "event") last = response.message.value.seq;
        yield response;
      }
      if (active.projection.run().endTime || signal.aborted || this.#closing) return;
    }
    yield* watchJournal(store, runId, { afterSeq: last, signal, clock });
  }

  /** Stops driving; what is under way stays in its journal. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#membership.close();
    const entries = [...this.#active.values()];
    this.#stopAll(new Error("the engine is closing"));
    await Promise.all(entries.map(({ datasets }) => datasets.close()));
    await this.#membership.leave();
  }

  #stopAll(reason: Error): void {
    this.#dispatcher.stop();
    for (const { run } of [...this.#active.values()]) run.stop(reason);
  }

  /** Begins a run once for a request id. */
  async #once(requestId: string, hash: string, apply: () => Promise<Application>): Promise<Run> {
    const before = await this.#answered(requestId, hash);
    if (before) return before;
    const admitted = await this.#admission.admit(await apply());
    try {
      const request = requestId ? { id: requestId, hash } : undefined;
      return await this.#begin(uuidv7(), admitted, request);
    } catch (error) {
      const first = error instanceof JournalConflict ? await this.#answered(requestId, hash) : undefined;
      if (first) return first;
      if (!(error instanceof LeaseLost)) throw error;
      throw reject(Reason.UNAVAILABLE, {
        message: "another engine runs under the name of this one",
        retryAfterMs: 1000,
      });
    }
  }

  async #begin(runId: string, { started, ...around }: Admitted, request?: Append["request"]): Promise<Run> {
    const run = this.#track(runId, around, this.#membership.fence);
    try {
      await run.start(started, request);
      return clone(RunSchema, run.projection.run());
    } catch (error) {
      run.stop(error);
      throw error;
    }
  }

  /** Drives a run from now on that nobody drove. */
  async #takeUp({ runId, fence }: Lease): Promise<void> {
    const { store, logger } = this.#options;
    // Driven here under an older lease, which was lost meanwhile.
    this.#active.get(runId)?.run.stop(new Error("the run was taken up again"));
    const loaded = await loadRun(store, runId);
    if (loaded.projection.machine.runStatus === RunStatus.UNSPECIFIED) {
      throw new NotForThisEngine(
        `run ${runId} was begun by a newer engine: version ${loaded.started.machineVersion} of its machine`,
      );
    }
    const profiles = await profilesOf(store, runId);
    if (this.#closing) return;
    const run = this.#track(runId, { datasets: this.#admission.session(), allowed: new Set() }, fence);
    logger.info({ runId, mode: this.#mode }, "taking up a run that was left");
    if (this.#mode === "resume") run.resume({ ...loaded, profiles });
    else run.cancelLeft({ ...loaded, profiles }, "the process that drove this run ended");
  }

  #track(runId: string, around: Omit<Entry, "run">, fence: bigint): ActiveRun {
    const { store, clock, logger } = this.#options;
    const run = new ActiveRun(runId, { journal: store, performer: this.#dispatcher, clock, logger, fence });
    const entry = { run, ...around };
    this.#active.set(runId, entry);
    const forget = async () => {
      if (this.#active.get(runId) === entry) this.#active.delete(runId);
      await entry.datasets.close();
    };
    const lose = () => {
      this.#dispatcher.abandon(run);
      return forget();
    };
    run.ended.then(forget, lose).catch((err: unknown) => logger.warn({ runId, err }, "it was not tidied up"));
    return run;
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
}

/** What tells one request from another, whoever repeats it. */
function hashOf<T extends DescMessage>(
  schema: T,
  request: MessageShape<T> & { requestId: string },
  user: string,
): string {
  // A shallow copy: a workflow may have ten thousand tasks.
  const body: MessageShape<T> = { ...request, requestId: "" };
  const hash = createHash("sha256").update(schema.typeName).update(toBinary(schema, body));
  return hash.update(`\n${user}`).digest("hex");
}
