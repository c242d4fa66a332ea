import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, systemClock } from "./clock.ts";
import type { EngineConfig } from "./config.ts";
import { Datasets } from "./dataset/datasets.ts";
import { Experts } from "./expert/experts.ts";
import { HostGate } from "./expert/host-service.ts";
import { placementOptionsOf, trustPolicyOf } from "./expert/placement-options.ts";
import { ExpertRegistry } from "./expert/registry.ts";
import { createLogger, type Logger, type LogStream } from "./logger.ts";
import { armFailpoints } from "./run/failpoint.ts";
import { Runs } from "./run/runs.ts";
import { scheduledRuns } from "./schedule/scheduled-runs.ts";
import { Schedules } from "./schedule/schedules.ts";
import { Timekeeper } from "./schedule/timekeeper.ts";
import { expertCatalogServiceRoutes } from "./services/expert-catalog-service.ts";
import { runServiceRoutes } from "./services/run-service.ts";
import { scheduleServiceRoutes } from "./services/schedule-service.ts";
import { workflowServiceRoutes } from "./services/workflow-service.ts";
import { MemoryStore } from "./store/memory.ts";
import type { Store } from "./store/store.ts";
import { Workflows } from "./workflows.ts";

export { ConfigError, DEFAULT_EXPERTS, type EngineConfig, readConfig, type ServerConfig } from "./config.ts";
export { PlacementError } from "./expert/placement-error.ts";
export { StoreInUse } from "./store/store-in-use.ts";
export { StoreUnavailable } from "./store/unavailable.ts";

/** An engine in this process: the same services, whether a server or an in-memory transport offers them. */
export interface Engine {
  /** WorkflowService, RunService, ScheduleService and ExpertCatalogService. */
  routes(router: ConnectRouter): void;
  logger: Logger;
  /** Whether the store answers in good time. */
  serving(): boolean;
  /** Stops driving runs, closes experts, readers and the store. */
  close(): Promise<void>;
}

/**
 * Puts an engine together and takes up the runs that an earlier one left.
 *
 * @param log Where its log goes; standard error where absent.
 * @throws StoreInUse, StoreUnavailable, PlacementError
 */
export async function createEngine(config: EngineConfig, clock: Clock = systemClock, log?: LogStream): Promise<Engine> {
  const logger = createLogger(config.logLevel, log);
  armFailpoints(config.failpoints ?? "");
  const store = await openStore(config.store);
  const opened: { close(): Promise<unknown> }[] = [store];
  const close = async () => {
    // Where one cannot close in order, because the store is away, the others still do: a process of an expert must not be left.
    const failures: unknown[] = [];
    for (const part of opened.toReversed()) await part.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  try {
    const datasets = new Datasets({
      roots: config.dataRoots,
      ...(config.poolThreads === undefined ? {} : { poolThreads: config.poolThreads }),
      ...(config.memoryLimitMb === undefined ? {} : { memoryLimitMb: config.memoryLimitMb }),
      logger,
    });
    opened.push(datasets);
    const host = new HostGate(config.hostName);
    const registry = new ExpertRegistry(store, trustPolicyOf(config));
    const experts = new Experts({ host, registry, logger, ...placementOptionsOf(config) });
    opened.push(experts);
    opened.push(registry);
    await experts.place(config.experts);
    const workflows = new Workflows({ store, registry, clock });
    await workflows.publishTemplates(config.workflowsDir);
    const { allowedPaths } = config;
    const runs = new Runs({
      store,
      // An engine in a process of somebody else comes and goes: nobody is to go on under its name.
      name: config.name ?? `${hostname()}:${process.pid}:${randomUUID()}`,
      workflows,
      registry,
      host,
      datasets,
      clock,
      logger,
      allowedPaths,
      weightOf: (user) => config.userWeights?.get(user) ?? 1,
    });
    opened.push(runs);
    await runs.open(config.leftRuns);
    const schedules = new Schedules({ store: store.schedules, workflows, clock });
    if (config.leftRuns === "resume") {
      // Only an engine that stays keeps time: one that lives for a command would leave the runs that it begins.
      const timekeeper = new Timekeeper({
        schedules: store.schedules,
        runs: scheduledRuns(runs, store),
        clock,
        logger,
      });
      opened.push(timekeeper);
      timekeeper.start();
    }
    const services = [
      runServiceRoutes(runs),
      workflowServiceRoutes(workflows, registry),
      scheduleServiceRoutes(schedules),
      expertCatalogServiceRoutes(registry, experts),
    ];
    return {
      logger,
      close,
      serving: () => store.serving(),
      routes: (router) => services.forEach((routes) => void routes(router)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openStore(store: EngineConfig["store"]): Promise<Store> {
  // A backend is loaded only where it is used: the embedded Postgres alone is 25 MB.
  switch (store.kind) {
    case "memory":
      return new MemoryStore(store.database);
    case "embedded":
      return (await import("./store/pglite.ts")).openPglite(store.folder);
    case "postgres":
      return (await import("./store/postgres.ts")).openPostgres(store.url);
  }
}
