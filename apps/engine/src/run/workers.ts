import { create } from "@bufbuild/protobuf";
import { ExecuteRequestSchema } from "@odg/proto/odg/expert/v1/expert_pb";
import type { TaskCompleted } from "@odg/proto/odg/run/v1/run_pb";
import type { Clock } from "../clock.ts";
import type { DatasetSession } from "../dataset/datasets.ts";
import type { HostGate } from "../expert/host-service.ts";
import type { ExpertRegistry } from "../expert/registry.ts";
import type { Logger } from "../logger.ts";
import type { ActiveRun } from "./active-run.ts";
import { perform } from "./attempt.ts";
import { AttemptLimits } from "./attempt-limits.ts";
import type { BlobSource } from "./blobs.ts";
import { idempotencyKey, type Job } from "./job.ts";
import type { Chosen } from "./waiting-room.ts";

/** What experts work with. */
export interface WorkerOptions {
  registry: ExpertRegistry;
  host: HostGate;
  clock: Clock;
  logger: Logger;
  store: BlobSource;
  /** The datasets of a run, and the addresses that its reports may show. */
  surroundings(run: ActiveRun): { datasets: DatasetSession; allowed: () => ReadonlySet<string> };
}

/** Has experts work: opens the door by which they ask back for as long as the attempt lasts, and measures. */
export class Workers {
  #options: WorkerOptions;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** @throws what {@link perform} throws */
  async work(job: Job, { expert, instance, action }: Chosen): Promise<TaskCompleted> {
    const { run, task, item, attempt, input, upstream, stop } = job;
    const { host, clock, registry, logger } = this.#options;
    const { datasets, allowed } = this.#options.surroundings(run);
    const { permissions } = expert;
    const { packageRoot } = instance;
    const limits = new AttemptLimits({ task: run.task(task), stop, permissions });
    const { signal } = stop;
    const heard = () => limits.heard();
    const hostToken = host.grant({ run, datasets, packageRoot, permissions, signal, heard });
    const request = create(ExecuteRequestSchema, {
      runId: run.runId,
      taskId: run.task(task).id,
      item,
      attempt,
      idempotencyKey: idempotencyKey(run, job),
      action,
      input,
      upstream,
      hostToken,
    });
    const began = clock.now();
    try {
      const completed = await perform({ run, task, item, instance, request, signal, limits, allowed });
      registry
        .recordLatency(expert, clock.now() - began)
        .catch((err: unknown) => logger.warn({ expert: expert.id, err }, "the mean latency was not stored"));
      return completed;
    } finally {
      host.revoke(hostToken);
      limits.close();
    }
  }
}
