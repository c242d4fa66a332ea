import { connect as connectSocket } from "node:net";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { MAX_MESSAGE_DEPTH } from "./decode.ts";
import type { Routes } from "./handler.ts";
import { type ServerInterceptorOptions, serverInterceptors } from "./interceptors.ts";
import { memoryTransport } from "./memory-transport.ts";
import { refusedInterceptor } from "./refused.ts";
import { Sessions } from "./sessions.ts";

/** How a client reaches a server. */
export interface ConnectTransportOptions {
  /** Protocol; `grpc` (default) is understood by servers in every language, `connect` also over HTTP/1.1. */
  readonly protocol?: "grpc" | "connect";
  /** Whether the server speaks HTTP/1.1 only; implies `connect`. */
  readonly http1?: boolean;
  /** Interceptors of the client. */
  readonly interceptors?: readonly Interceptor[];
  /** Sent as `Authorization: Bearer …` with every call. */
  readonly token?: string;
  /** Deadline of calls that name none, in milliseconds; none where absent. */
  readonly defaultTimeoutMs?: number;
  /** Whether the server may compress its answers; true where absent. Between two servers of one network it only costs time. */
  readonly compressed?: boolean;
  /** Bytes of one answer that are read; 64 MiB where absent, since reports are larger than requests. */
  readonly readMaxBytes?: number;
}

/** A transport that holds a connection. */
export interface ClosableTransport extends Transport {
  /** Ends the connection, and with it the calls under way. */
  close(): void;
}

const READ_MAX_BYTES = 64 * 1024 * 1024;
const depth = { recursionLimit: MAX_MESSAGE_DEPTH };

/**
 * A transport to a server by URL: `http://host:port`, `https://host`, or `unix:/path/of/socket`. It connects with the
 * first call, and again when the connection was lost.
 */
export function connectTransport(url: string, options: ConnectTransportOptions = {}): ClosableTransport {
  const socketPath = url.startsWith("unix:") ? url.slice("unix:".length).replace(/^\/\//, "") : undefined;
  const baseUrl = socketPath === undefined ? url.replace(/\/$/, "") : "http://localhost";
  const common = {
    baseUrl,
    interceptors: [
      refusedInterceptor,
      ...(options.token ? [bearer(options.token)] : []),
      ...(options.interceptors ?? []),
    ],
    defaultTimeoutMs: options.defaultTimeoutMs,
    readMaxBytes: options.readMaxBytes ?? READ_MAX_BYTES,
    ...(options.compressed === false && { acceptCompression: [] }),
    jsonOptions: { ignoreUnknownFields: true, ...depth },
    binaryOptions: depth,
  };
  if (options.http1) {
    const transport = createConnectTransport({ ...common, httpVersion: "1.1", useBinaryFormat: true });
    return { ...methodsOf(transport), close: () => undefined }; // Node's own agent holds and ends these connections.
  }
  // Pings stay off: one on a destroyed session ends the process (connect-node).
  const sessionManager = new Sessions(
    baseUrl,
    undefined,
    socketPath === undefined ? undefined : { createConnection: () => connectSocket(socketPath) },
  );
  const transport =
    options.protocol === "connect"
      ? createConnectTransport({ ...common, httpVersion: "2", sessionManager, useBinaryFormat: true })
      : createGrpcTransport({ ...common, sessionManager });
  return { ...methodsOf(transport), close: () => sessionManager.abort() };
}

function methodsOf(transport: Transport): Transport {
  return { unary: transport.unary.bind(transport), stream: transport.stream.bind(transport) };
}

function bearer(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

/**
 * A transport to services in this very process, with no socket: calls pass the same interceptors as on a server
 * (request id, errors, deadline, rules of the .proto) and messages are encoded, so that nothing is shared by accident.
 */
export function inProcessTransport(routes: Routes, options: ServerInterceptorOptions = {}): Transport {
  return memoryTransport(routes, serverInterceptors(options));
}
