import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { type ConnectError, type ConnectRouter, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { Compression, UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { MAX_MESSAGE_DEPTH } from "./decode.ts";
import { kDraining } from "./draining.ts";
import { toErrorJson } from "./error-json.ts";
import { reject } from "./errors.ts";
import { grpcStatusHeaders } from "./grpc-status.ts";
import { httpStatusOf } from "./http-status.ts";
import { checkHeaders, guardBody, type IntakeLimits } from "./intake.ts";
import {
  type FailingCall,
  present,
  presenting,
  type ServerInterceptorOptions,
  serverInterceptors,
  withInterceptors,
} from "./interceptors.ts";
import { type RpcLogger, stderrLogger } from "./logger.ts";
import { REQUEST_ID_HEADER, requestIdFrom } from "./request-id.ts";
import { SlowReaders } from "./slow-reader.ts";

/** The unit that any server or in-memory transport accepts: registers services on a router. */
export type Routes = (router: ConnectRouter) => void;

/** How a request is read and answered. */
export interface RpcHandlerOptions extends ServerInterceptorOptions {
  /** The services. */
  readonly routes: Routes;
  /** Bytes of one message, as sent and as unpacked; 4 MiB where absent, the limit of gRPC's own libraries. */
  readonly readMaxBytes?: number;
  /** Milliseconds that a caller may ask for as deadline; a day where absent. */
  readonly maxTimeoutMs?: number;
  /** Milliseconds in which a request must have arrived, where it is one message; 30,000 where absent. */
  readonly bodyTimeoutMs?: number;
  /**
   * Milliseconds that a caller may take to read one message, beside one per 64 bytes of it; 60,000 where absent. Then the call is cut
   * off: see {@link SlowReaders}.
   */
  readonly stallMs?: number;
  /** Aborted when every call still under way must end. */
  readonly shutdown?: AbortSignal;
  /** Aborted when the server begins to drain; handlers see it as the context value {@link kDraining}. */
  readonly draining?: AbortSignal;
  /**
   * Sees every request before anything of it is read, as CORS must; answers whether it has answered the request itself.
   * What it throws is the answer.
   */
  readonly first?: (request: NodeRequest, response: NodeResponse) => boolean;
  /** Answers paths that are no method of a service. */
  readonly fallback?: (request: NodeRequest, response: NodeResponse) => void;
}

/** A request of Node's own HTTP/1.1 or HTTP/2 server. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** Its response. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A listener for Node's HTTP servers, and what it serves. */
export interface RpcHandler {
  /** For `http.createServer` and `http2.createServer`. */
  readonly listener: (request: NodeRequest, response: NodeResponse) => void;
  /** One per method, as Connect made them. */
  readonly methods: readonly UniversalHandler[];
}

const DEFAULTS = {
  readMaxBytes: 4 * 1024 * 1024,
  maxTimeoutMs: 24 * 3_600_000,
  bodyTimeoutMs: 30_000,
  stallMs: 60_000,
};
const COMPRESSIONS: readonly Compression[] = [compressionGzip, compressionBrotli];

/**
 * Serves gRPC, gRPC-web and Connect from one listener, with the interceptors and the intake of the project: see
 * {@link serverInterceptors} and the table of bad input in the README.
 */
export function rpcHandler(options: RpcHandlerOptions): RpcHandler {
  const limits: IntakeLimits = {
    readMaxBytes: options.readMaxBytes ?? DEFAULTS.readMaxBytes,
    maxTimeoutMs: options.maxTimeoutMs ?? DEFAULTS.maxTimeoutMs,
    bodyTimeoutMs: options.bodyTimeoutMs ?? DEFAULTS.bodyTimeoutMs,
    compressions: COMPRESSIONS,
  };
  const logger = options.logger ?? stderrLogger;
  const router = createConnectRouter({
    ...limits,
    acceptCompression: [...COMPRESSIONS],
    jsonOptions: { ignoreUnknownFields: true, recursionLimit: MAX_MESSAGE_DEPTH },
    binaryOptions: { recursionLimit: MAX_MESSAGE_DEPTH },
    requestGate: (context) => {
      try {
        checkHeaders(context, limits);
      } catch (error) {
        throw present(error, callOf(context.method, context.requestHeader, logger));
      }
    },
    shutdownSignal: options.shutdown,
  });
  withInterceptors(options.routes, serverInterceptors(options))(router);
  const methods = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const readers = new SlowReaders({
    stallMs: options.stallMs ?? DEFAULTS.stallMs,
    draining: options.draining,
    onCut: (response) => {
      const request_id = response.getHeader(REQUEST_ID_HEADER);
      logger.info({ request_id }, "cut a caller off who does not read the answer");
    },
  });
  const server: Serving = { methods, limits, options, logger, readers };
  return { listener: (request, response) => void serve(server, request, response), methods: router.handlers };
}

interface Serving {
  readonly methods: ReadonlyMap<string, UniversalHandler>;
  readonly limits: IntakeLimits;
  readonly options: RpcHandlerOptions;
  readonly logger: RpcLogger;
  readonly readers: SlowReaders;
}

function callOf(method: DescMethod, header: Headers, logger: RpcLogger): FailingCall {
  return { logger, requestId: requestIdFrom(header), rpc: method.toString() };
}

async function serve(server: Serving, request: NodeRequest, response: NodeResponse): Promise<void> {
  const { methods, options, logger, readers } = server;
  const requestId = requestIdFrom(new Headers(pickHeader(request, REQUEST_ID_HEADER)));
  response.setHeader(REQUEST_ID_HEADER, requestId);
  stopSenderAtEnd(request, response);
  const handler = methods.get(request.url?.split("?", 1)[0] ?? "");
  try {
    if (options.first?.(request, response)) return;
    if (handler === undefined) return (options.fallback ?? answerUnknown)(request, response);
    const received = receive(request, response, options);
    received.header.set(REQUEST_ID_HEADER, requestId);
    const answered = await handler(guarded(server, handler, received));
    const body = answered.body && readers.paced(answered.body, response);
    await universalResponseToNodeResponse({ ...answered, body }, response);
  } catch (error) {
    // The caller has left, or was cut off: there is no one to answer, and nothing is wrong with the server.
    if (request.destroyed || response.destroyed || request.errored || isReset(response)) return;
    answer(response, present(error, { logger, requestId, rpc: handler?.method.toString() ?? "" }));
  }
}

function guarded({ limits, logger }: Serving, handler: UniversalHandler, received: UniversalServerRequest) {
  const request = guardBody(handler, received, limits);
  const body = request.body as AsyncIterable<Uint8Array>;
  return { ...request, body: presenting(body, callOf(handler.method, request.header, logger)) };
}

function pickHeader(request: NodeRequest, name: string): Record<string, string> {
  const value = request.headers[name];
  return typeof value === "string" ? { [name]: value } : {};
}

function receive(request: NodeRequest, response: NodeResponse, options: RpcHandlerOptions) {
  // Connect makes a URL of the authority, which the caller may have filled with anything.
  const authority = ("authority" in request && request.authority) || request.headers.host || "";
  if (!URL.canParse(`http://${authority}`)) {
    throw reject(Reason.FIELD_FORMAT, { message: "The Host of the request is no host.", field: "host" });
  }
  const contextValues = createContextValues();
  if (options.draining) contextValues.set(kDraining, options.draining);
  const received = universalRequestFromNodeRequest(request, response as ServerResponse, undefined, contextValues);
  // Connect's own iterator destroys the connection when reading stops early, and with it the answer that says why.
  return { ...received, body: request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array> };
}

function isReset(response: NodeResponse): boolean {
  return "stream" in response && response.stream.rstCode !== undefined && response.stream.rstCode !== 0;
}

/** An HTTP/2 caller who still sends after the answer is told to stop; HTTP/1.1 has Node discard the rest. */
function stopSenderAtEnd(request: NodeRequest, response: NodeResponse): void {
  if (!("stream" in request)) return;
  response.once("finish", () => {
    if (!request.complete && !request.stream.destroyed) request.stream.close();
  });
}

function answerUnknown(request: NodeRequest, response: NodeResponse): void {
  const message = "There is no such method.";
  const requestId = String(response.getHeader(REQUEST_ID_HEADER) ?? "");
  if (!request.headers["content-type"]?.startsWith("application/grpc")) {
    answer(response, reject(Reason.NOT_FOUND, { message, requestId }));
    return;
  }
  // gRPC reads its status, not HTTP's: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
  const trailer = grpcStatusHeaders(reject(Reason.UNIMPLEMENTED, { message, requestId }));
  response.statusCode = 200;
  response.setHeader("content-type", request.headers["content-type"]);
  for (const [name, value] of Object.entries(trailer)) response.setHeader(name, value);
  response.end();
}

function answer(response: NodeResponse, error: ConnectError, status = httpStatusOf(error.code)): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  const requestId = String(response.getHeader(REQUEST_ID_HEADER) ?? "");
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(toErrorJson(error, requestId)));
}
