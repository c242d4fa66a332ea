// A server of stub handlers, callers that write raw bytes, and the list of bad input that every server is held to.
export { badInputCases } from "./bad-input-cases.ts";
export { type PausedWatcher, pausedByHttp1, pausedByHttp2 } from "./paused.ts";
export {
  envelope,
  grpc,
  h2,
  type MemoryLogger,
  memoryLogger,
  PATHS,
  post,
  RUN_ID,
  type RunHandlers,
  startWire,
  streamJson,
} from "./wire.ts";
