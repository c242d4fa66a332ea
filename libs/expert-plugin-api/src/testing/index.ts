export { type ConformanceCase, conformanceCases, type Sample } from "./conformance.ts";
export { type MemoryHostOptions, memoryHost } from "./memory-host.ts";
export type { MemoryTable } from "./memory-table.ts";
export { type ActionOutcome, executeRequest, expertClient, type RunActionOptions, runAction } from "./run-action.ts";
export { type ClosableTarget, type ConformanceTarget, moduleTarget, processTarget, remoteTarget } from "./target.ts";
export { type ListeningTestHost, listenTestHost, type TestGrant, TestHost } from "./test-host.ts";
