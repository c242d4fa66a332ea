// A real engine and small experts, for tests that look at the whole.

export {
  asText,
  type EndedRun,
  type EngineUnderTest,
  renderings,
  startEngine,
  watchToEnd,
  workflowOf,
} from "./engine-under-test.ts";
export { sampleLake } from "./lake.ts";
export { type Gate, gate, PROBE_EXPERT, type ProbeOptions, writeProbe } from "./probe.ts";
export { call, type WireAnswer } from "./wire.ts";
