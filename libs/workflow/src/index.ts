// For everyone: definitions, plans, and runs as their journals tell them.
export type { ExpertListing } from "./check-experts.ts";
export type { Provenance } from "./context.ts";
export { RunContext } from "./context.ts";
export type { Issue } from "./issue.ts";
export { closest, MAX_ISSUES } from "./issue.ts";
// For drivers of runs.
export type {
  CancelTaskCommand,
  Command,
  CompleteRunCommand,
  DispatchCommand,
  ScheduleRetryCommand,
  SkipCommand,
} from "./machine.ts";
export { MACHINE_VERSION, RunMachine } from "./machine.ts";
export type { PlanOptions, PlanResult } from "./plan.ts";
export { MAX_EDGES, MAX_TASKS, plan } from "./plan.ts";
export { contextOf, project, RunProjection } from "./projection.ts";
export { DEFAULT_INITIAL_INTERVAL_MS, DEFAULT_MAX_INTERVAL_MS, retryDelay } from "./retry.ts";
