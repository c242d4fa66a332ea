import { mkdir, rm } from "node:fs/promises";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { dirname } from "node:path";
import { Health as HealthService } from "@odg/proto/grpc/health/v1/health_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { reject } from "./errors.ts";
import { type NodeRequest, type NodeResponse, type RpcHandlerOptions, rpcHandler } from "./handler.ts";
import { createHealth, type Health } from "./health.ts";
import { reflectionRoutes } from "./reflection.ts";

/** How a server listens and stops. */
export interface ServerOptions extends Omit<RpcHandlerOptions, "shutdown" | "draining"> {
  /** Address to listen on; `127.0.0.1` where absent. */
  readonly host?: string;
  /** Port of the h2c listener (gRPC, gRPC-web and Connect over HTTP/2 without TLS); 0 or absent for a free one. */
  readonly port?: number;
  /** Path of a Unix socket to listen on by h2c, instead of host and port. */
  readonly socketPath?: string;
  /** Certificate and key, and perhaps whose certificates callers must show: then HTTP/2 is spoken by TLS only. */
  readonly tls?: Pick<http2.SecureServerOptions, "cert" | "key" | "ca" | "requestCert" | "rejectUnauthorized">;
  /** Port of a second listener for HTTP/1.1; 0 for a free one, absent for none. */
  readonly http1Port?: number;
  /** Milliseconds that calls under way may take to end when the server closes; 30,000 where absent. */
  readonly drainMs?: number;
}

/** A running server. */
export interface RpcServer {
  /** Base URL for gRPC and Connect clients: `http://127.0.0.1:50051`, or `unix:<path>`. */
  readonly h2cUrl: string;
  /** Base URL of the HTTP/1.1 listener; undefined where there is none. */
  readonly http1Url: string | undefined;
  /** What the server answers as `grpc.health.v1.Health`. */
  readonly health: Health;
  /**
   * Drains and stops: health says NOT_SERVING, HTTP/2 callers get a GOAWAY, calls under way have `drainMs` to end, then
   * those left are answered `UNAVAILABLE`. Calling it again answers the same promise.
   */
  close(): Promise<void>;
}

const DRAIN_MS = 30_000;
// After the last moment of the drain, so that the answers of cut calls still reach their callers.
const LAST_WORDS_MS = 200;
// Between "I will stop" and "this was the last stream": a call sent before the first arrives is still taken.
const GOAWAY_GRACE_MS = 50;
// https://www.rfc-editor.org/rfc/rfc9113#section-6.8: the last-stream-id of the warning before the real GOAWAY.
const ANY_STREAM = 2 ** 31 - 1;

/**
 * Starts a server with health v1 and reflection v1 and v1alpha beside the given services.
 *
 * @throws the error of `listen` (a port in use, a socket path that is too long)
 */
export async function startServer(options: ServerOptions): Promise<RpcServer> {
  const draining = new AbortController();
  const shutdown = new AbortController();
  const health = createHealth();
  const { listener } = rpcHandler({
    ...options,
    routes: (router) => {
      options.routes(router);
      const services = new Set(router.handlers.map((handler) => handler.service));
      for (const service of services) health.set(service.typeName, true);
      health.routes(router);
      reflectionRoutes([...services, HealthService])(router);
    },
    draining: draining.signal,
    shutdown: shutdown.signal,
  });
  const calls = new CallCount();
  const counted = (request: NodeRequest, response: NodeResponse) => {
    if (draining.signal.aborted && request.httpVersionMajor === 1) response.setHeader("connection", "close");
    calls.add(response);
    listener(request, response);
  };
  const h2c = options.tls ? http2.createSecureServer({ ...options.tls }, counted) : http2.createServer(counted);
  const sessions = trackSessions(h2c);
  const http1 = options.http1Port === undefined ? undefined : http.createServer(counted);
  await listen(h2c, options);
  if (http1) await listen(http1, { host: options.host, port: options.http1Port });

  let closing: Promise<void> | undefined;
  const close = async () => {
    health.shutdown();
    draining.abort();
    const closed = [closeListener(h2c), ...(http1 ? [closeListener(http1)] : [])];
    await sayGoAway(sessions);
    if (!(await calls.none(options.drainMs ?? DRAIN_MS))) {
      shutdown.abort(reject(Reason.UNAVAILABLE, { message: "The server is shutting down.", retryAfterMs: 1000 }));
      await calls.none(LAST_WORDS_MS);
    }
    for (const session of sessions) session.destroy();
    http1?.closeAllConnections();
    await Promise.all(closed);
  };
  return {
    h2cUrl: options.socketPath === undefined ? urlOf(h2c, options.tls && "https") : `unix:${options.socketPath}`,
    http1Url: http1 && urlOf(http1),
    health,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: NetServer, options: Pick<ServerOptions, "host" | "port" | "socketPath">): Promise<void> {
  const { host = "127.0.0.1", port = 0, socketPath } = options;
  if (socketPath !== undefined) {
    await mkdir(dirname(socketPath), { recursive: true });
    await rm(socketPath, { force: true }); // A killed predecessor leaves its socket behind.
  }
  await new Promise<void>((resolve, refuse) => {
    server.once("error", refuse);
    server.listen(socketPath === undefined ? { host, port } : { path: socketPath }, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

function urlOf(server: NetServer, scheme = "http"): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function closeListener(server: NetServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function trackSessions(server: http2.Http2Server): Set<http2.ServerHttp2Session> {
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  return sessions;
}

/** A session that is destroyed throws at every call, until it has said that it is closed. */
function isOpen(session: http2.ServerHttp2Session): boolean {
  return !session.closed && !session.destroyed;
}

/** Two GOAWAYs, as RFC 9113 advises: a warning, then the last stream, so that no call in flight is lost between. */
async function sayGoAway(sessions: ReadonlySet<http2.ServerHttp2Session>): Promise<void> {
  for (const session of sessions) if (isOpen(session)) session.goaway(http2.constants.NGHTTP2_NO_ERROR, ANY_STREAM);
  await new Promise((resolve) => setTimeout(resolve, GOAWAY_GRACE_MS));
  for (const session of sessions) if (isOpen(session)) session.close();
}

/** Counts the calls under way. */
class CallCount {
  private count = 0;
  private readonly waiting = new Set<() => void>();

  add(response: NodeResponse): void {
    this.count++;
    response.once("close", () => {
      this.count--;
      if (this.count === 0) for (const wake of this.waiting) wake();
    });
  }

  /** Whether all calls ended within this many milliseconds. */
  async none(ms: number): Promise<boolean> {
    if (this.count === 0) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.add(resolve);
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.waiting.delete(resolve);
    return this.count === 0;
  }
}

/** Where {@link drainOnSignals} tells what it does, and on which signals. */
export interface DrainOptions {
  /** Signals that begin the drain; SIGTERM and SIGINT where absent. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Told the error of a close that fails; the process then ends with exit code 1. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Closes the server on the first signal; the process ends when nothing else keeps it. A second signal acts as if there
 * were no handler: it ends the process at once.
 *
 * @returns a function that takes the handlers away again
 */
export function drainOnSignals(server: { close(): Promise<void> }, options: DrainOptions = {}): () => void {
  const signals = options.signals ?? ["SIGTERM", "SIGINT"];
  const remove = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = () => {
    remove();
    server.close().catch((error: unknown) => {
      process.exitCode = 1;
      options.onError?.(error);
    });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return remove;
}
