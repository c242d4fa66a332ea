export { type ConformanceCase, conformanceCases, type Sample } from "./conformance.ts";
export { type MemoryHostOptions, memoryHost } from "./memory-host.ts";
export type { MemoryTable } from "./memory-table.ts";
export { EXIT, printOutcomes } from "./print-outcomes.ts";
export { type ActionOutcome, executeRequest, expertClient, type RunActionOptions, runAction } from "./run-action.ts";
export { readSamples, SAMPLES_FILE, SamplesError } from "./samples.ts";
export { type ClosableTarget, type ConformanceTarget, moduleTarget, processTarget, remoteTarget } from "./target.ts";
export { type ListeningTestHost, listenTestHost, type TestGrant, TestHost } from "./test-host.ts";
export { type CaseOutcome, DEFAULT_HOST_PORT, NoExpertError, type PackageTest, testPackage } from "./test-package.ts";
