export { type ConformanceCase, conformanceCases, type Sample } from "./conformance.ts";
export { type MemoryHostOptions, memoryHost } from "./memory-host.ts";
export type { MemoryTable } from "./memory-table.ts";
export { type ActionOutcome, executeRequest, expertClient, type RunActionOptions, runAction } from "./run-action.ts";
