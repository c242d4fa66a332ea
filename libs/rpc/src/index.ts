// Errors: what every part of the project needs.

// Parts, for libraries that build on them.
export { decodeBinary, decodeJson, type JsonDecoding, MAX_JSON_DEPTH, MAX_MESSAGE_DEPTH } from "./decode.ts";
// Servers and transports.
export { kDraining } from "./draining.ts";
export { type ErrorJson, toErrorJson } from "./error-json.ts";
export {
  type FieldViolation,
  failureOf,
  ownReason,
  presentable,
  type RejectDetails,
  reasonOf,
  reject,
  requestIdOf,
  retryAfterOf,
} from "./errors.ts";
export {
  type NodeRequest,
  type NodeResponse,
  type Routes,
  type RpcHandler,
  type RpcHandlerOptions,
  rpcHandler,
} from "./handler.ts";
export { createHealth, type Health } from "./health.ts";
export { codeName, httpStatusOf } from "./http-status.ts";
export {
  deadlineInterceptor,
  errorInterceptor,
  type ServerInterceptorOptions,
  serverInterceptors,
  validationInterceptor,
} from "./interceptors.ts";
export type { RpcLogger } from "./logger.ts";
export { stderrLogger } from "./logger.ts";
export { memoryClient } from "./memory-client.ts";
export { memoryTransport } from "./memory-transport.ts";
export {
  ERROR_DOMAIN,
  HELP_PAGE,
  helpLink,
  isNamedReason,
  type NamedReason,
  REASONS,
  type ReasonEntry,
  reasonName,
  reasonNamed,
} from "./reasons.ts";
export { reflectionRoutes } from "./reflection.ts";
export { ensureRequestId, REQUEST_ID_HEADER, requestIdFrom } from "./request-id.ts";
export { type DrainOptions, drainOnSignals, type RpcServer, type ServerOptions, startServer } from "./server.ts";
export {
  type ClosableTransport,
  type ConnectTransportOptions,
  connectTransport,
  inProcessTransport,
} from "./transport.ts";
export { asUser, isUserName, USER_HEADER } from "./user.ts";
