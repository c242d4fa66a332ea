// For experts outside of the engine: a server of their own.

import { createHash, timingSafeEqual } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { ExpertService } from "@odg/proto/odg/expert/v1/expert_pb";
import {
  drainOnSignals,
  ownReason,
  type RpcLogger,
  reasonOf,
  reject,
  type ServerOptions,
  startServer,
  stderrLogger,
} from "@odg/rpc";
import type { Expert } from "./expert.ts";
import { Hosts, type HostUrls, hostTransport } from "./host-transport.ts";
import { OffloadPool } from "./offload-pool.ts";

/** Where an expert listens, and where its engine is. */
export interface ServeOptions {
  /**
   * URL of the engine's HostService: `http://engine:50052`, `https://engine:50052`, or `unix:<path>`. Where several engines give it tasks,
   * the URL of each by its ODG_HOST_NAME.
   */
  readonly host: HostUrls;
  /** Path of a Unix socket to listen on, instead of address and port. */
  readonly socketPath?: string;
  /** Address to listen on; `127.0.0.1` where absent. */
  readonly address?: string;
  /** Port to listen on; 0 or absent for a free one. */
  readonly port?: number;
  /** Certificate and key, in PEM: then it is called by TLS only. With `ca` and `requestCert`, also by whom. */
  readonly tls?: ServerOptions["tls"];
  /** What the engine must send as `Authorization: Bearer …`; where absent, whoever reaches the port may call. */
  readonly token?: string;
  /** Threads for worker modules; the machine's cores where absent. */
  readonly threads?: number;
  /** Milliseconds that tasks under way may take to end after SIGTERM; 30,000 where absent. */
  readonly drainMs?: number;
  /** Where faults go; stderr where absent. */
  readonly logger?: RpcLogger;
}

/** An expert that listens. */
export interface ExpertServer {
  /** `http://127.0.0.1:50051`, `https://…` with `tls`, or `unix:<path>`. */
  readonly url: string;
  /** Says NOT_SERVING, lets tasks under way end, then stops. The same happens on SIGTERM and SIGINT. */
  close(): Promise<void>;
}

/** Inputs and upstream outputs of a task may be larger than what a public server takes. */
const READ_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Serves an expert over gRPC, with health and reflection. Its workers run in threads of this process; everything else that it asks
 * for is asked of the engine that gave it the task, with the token of the attempt.
 *
 * @throws the error of `listen` (a port in use, a socket path that is too long)
 */
export async function serveExpert(expert: Expert, options: ServeOptions): Promise<ExpertServer> {
  const { threads, token, socketPath, tls, logger = stderrLogger } = options;
  const hosts = new Hosts(options.host);
  const pool = new OffloadPool(threads);
  const server = await startServer({
    routes: expert.routes({ host: hostTransport(hosts, pool) }),
    ...(socketPath === undefined ? { host: options.address, port: options.port } : { socketPath }),
    ...(tls ? { tls } : {}),
    drainMs: options.drainMs,
    readMaxBytes: READ_MAX_BYTES,
    logger,
    interceptors: [...(token ? [bearerOnly(token)] : []), expertErrors(logger)],
  });
  let closing: Promise<void> | undefined;
  const close = async () => {
    unhook();
    await server.close();
    hosts.close();
    await pool.close();
  };
  const closeOnce = () => {
    closing ??= close();
    return closing;
  };
  const unhook = drainOnSignals({ close: closeOnce });
  return { url: server.h2cUrl, close: closeOnce };
}

/** Calls of ExpertService need the token; health stays open to whoever watches over the process. */
function bearerOnly(token: string): Interceptor {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const wanted = digest(`Bearer ${token}`);
  return (next) => (request) => {
    const given = digest(request.header.get("authorization") ?? "");
    if (request.service.typeName === ExpertService.typeName && !timingSafeEqual(given, wanted)) {
      throw reject(Reason.UNAUTHENTICATED, { message: "the token is not the one of this expert" });
    }
    return next(request);
  };
}

const OPAQUE: ReadonlySet<Code> = new Set([Code.Internal, Code.Unknown, Code.DataLoss]);

/** What an action throws without a reason fails the task as EXPERT_FAILED, as it does inside of the engine. */
function expertErrors(logger: RpcLogger): Interceptor {
  const named = (error: unknown, rpc: string, signal: AbortSignal) => {
    // Whoever has left hears nothing, and what broke off with the call is no fault of the expert.
    if (signal.aborted) return error;
    if (error instanceof ConnectError && (ownReason(error) !== undefined || !OPAQUE.has(error.code))) return error;
    const reason = reasonOf(error, Reason.EXPERT_FAILED);
    if (reason === Reason.EXPERT_FAILED) logger.error({ err: error, rpc }, "the expert failed");
    return reject(reason, { cause: error });
  };
  return (next) => async (request) => {
    const rpc = request.method.toString();
    try {
      const response = await next(request);
      return response.stream
        ? { ...response, message: naming(response.message, (error) => named(error, rpc, request.signal)) }
        : response;
    } catch (error) {
      throw named(error, rpc, request.signal);
    }
  };
}

async function* naming<T>(messages: AsyncIterable<T>, named: (error: unknown) => unknown): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw named(error);
  }
}
