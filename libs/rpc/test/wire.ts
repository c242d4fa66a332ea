// A server of stub handlers, and callers that write raw bytes.
import * as http2 from "node:http2";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "@odg/proto/google/rpc/error_details_pb";
import { StatusSchema } from "@odg/proto/google/rpc/status_pb";
import { RunService } from "@odg/proto/odg/engine/v1/run_service_pb";
import { type RpcLogger, type RpcServer, type ServerOptions, startServer } from "../src/index.ts";

export const RUN_ID = "01890a5d-ac96-774b-bcce-b302099a8057";
export const PATHS = {
  start: "/odg.engine.v1.RunService/StartRun",
  get: "/odg.engine.v1.RunService/GetRun",
  list: "/odg.engine.v1.RunService/ListRuns",
  watch: "/odg.engine.v1.RunService/WatchRun",
} as const;

/** Keeps what a server logs. */
export interface MemoryLogger extends RpcLogger {
  readonly lines: { fields: Readonly<Record<string, unknown>>; message: string }[];
}

export function memoryLogger(): MemoryLogger {
  const lines: MemoryLogger["lines"] = [];
  const push = (fields: Readonly<Record<string, unknown>>, message: string) => void lines.push({ fields, message });
  return { lines, info: push, error: push };
}

export type RunHandlers = Partial<ServiceImpl<typeof RunService>>;

/** Answers StartRun with the inputs that came, GetRun and ListRuns with little; tests replace what they look at. */
const stubs: RunHandlers = {
  startRun: (request) => ({ run: { runId: RUN_ID, inputs: request.inputs, labels: request.labels } }),
  getRun: (request) => ({ run: { runId: request.runId } }),
  listRuns: () => ({ runs: [] }),
};

export function startWire(handlers: RunHandlers = {}, options: Partial<ServerOptions> = {}): Promise<RpcServer> {
  return startServer({
    http1Port: 0,
    logger: memoryLogger(),
    drainMs: 200,
    ...options,
    routes: (router) => router.service(RunService, { ...stubs, ...handlers }),
  });
}

/** What an error says on the wire, whatever the protocol. */
export interface WireError {
  readonly status: number;
  readonly code: string | number;
  readonly message: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
  readonly requestId: string | undefined;
  readonly retries: boolean;
}

interface WireDetail {
  readonly type: string;
  readonly value: Uint8Array;
}

function explain(details: readonly WireDetail[]): Pick<WireError, "reason" | "fields" | "requestId" | "retries"> {
  const all = <D extends DescMessage>(schema: D): MessageShape<D>[] =>
    details.filter((d) => d.type === schema.typeName).map((d) => fromBinary(schema, d.value));
  return {
    reason: all(ErrorInfoSchema)[0]?.reason,
    fields: all(BadRequestSchema).flatMap((bad) => bad.fieldViolations.map((violation) => violation.field)),
    requestId: all(RequestInfoSchema)[0]?.requestId,
    retries: all(RetryInfoSchema).length > 0,
  };
}

interface ConnectErrorJson {
  readonly code: string;
  readonly message?: string;
  readonly details?: readonly { type: string; value: string }[];
}

export function explainConnect(status: number, text: string): WireError {
  const json = JSON.parse(text) as ConnectErrorJson;
  const details = (json.details ?? []).map((d) => ({ type: d.type, value: Buffer.from(d.value, "base64") }));
  return { status, code: json.code, message: json.message ?? "", ...explain(details) };
}

/** Posts to the HTTP/1.1 listener as a Connect unary call. */
export async function post(
  server: RpcServer,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Headers; error(): WireError }> {
  const response = await fetch(`${server.http1Url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    headers: response.headers,
    error: () => explainConnect(response.status, text),
  };
}

export interface H2Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One HTTP/2 request with exactly these bytes. */
export async function h2(
  url: string,
  path: string,
  { body, headers, method = "POST" }: { body?: Uint8Array; headers?: Record<string, string>; method?: string },
): Promise<H2Answer> {
  const session = http2.connect(url);
  try {
    return await new Promise<H2Answer>((resolve, refuse) => {
      session.once("error", refuse);
      const stream = session.request({ ":method": method, ":path": path, ...headers });
      const chunks: Buffer[] = [];
      let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
      let trailers: http2.IncomingHttpHeaders = {};
      stream.on("response", (h) => {
        head = h;
      });
      stream.on("trailers", (t) => {
        trailers = t;
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once("error", refuse);
      stream.once("end", () =>
        resolve({ status: head[":status"] ?? 0, headers: head, trailers, body: Buffer.concat(chunks) }),
      );
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

export function envelope(bytes: Uint8Array, flags = 0, length = bytes.byteLength): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** A gRPC call with these bytes; its status is read from the trailers. */
export async function grpc(
  server: RpcServer,
  path: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<WireError> {
  const answer = await h2(server.h2cUrl, path, {
    body,
    headers: { "content-type": "application/grpc", te: "trailers", ...headers },
  });
  const trailers = { ...answer.headers, ...answer.trailers };
  const bin = trailers["grpc-status-details-bin"];
  const status = typeof bin === "string" ? fromBinary(StatusSchema, Buffer.from(bin, "base64")) : undefined;
  const details = (status?.details ?? []).map((any) => ({
    type: any.typeUrl.split("/").pop() ?? "",
    value: any.value,
  }));
  return {
    status: answer.status,
    code: Number(trailers["grpc-status"]),
    message: decodeURIComponent(String(trailers["grpc-message"] ?? "")),
    ...explain(details),
  };
}

/** A call of the connect+json stream protocol; its error stands in the last envelope. */
export async function streamJson(
  server: RpcServer,
  path: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<WireError> {
  const answer = await h2(server.h2cUrl, path, {
    body,
    headers: { "content-type": "application/connect+json", ...headers },
  });
  let rest = answer.body;
  for (;;) {
    const length = rest.readUInt32BE(1);
    const data = rest.subarray(5, 5 + length);
    if ((rest.readUInt8(0) & 2) !== 0) {
      const end = JSON.parse(data.toString()) as { error?: unknown };
      return explainConnect(answer.status, JSON.stringify(end.error ?? { code: "ok" }));
    }
    rest = rest.subarray(5 + length);
  }
}
