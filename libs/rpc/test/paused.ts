// Callers that send a request and read nothing of the answer, until they are told to.
import * as http2 from "node:http2";
import * as net from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { WatchRunRequestSchema } from "@odg/proto/odg/engine/v1/run_service_pb";
import type { RpcServer } from "../src/index.ts";
import { envelope, PATHS } from "./wire.ts";

/** A caller of WatchRun who does not read. */
export interface PausedWatcher {
  /** Resolves with how the server ended the call: the HTTP/2 error code, or `closed` by HTTP/1.1. */
  readonly ended: Promise<number | "closed">;
  /** Reads on. */
  resume(): void;
  /** Stops again. */
  pause(): void;
  /** Bytes that were read. */
  readonly bytes: number;
  leave(): void;
}

type Place = { readonly runId: string; readonly afterSeq?: bigint };

const requestOf = (place: Place) => envelope(toBinary(WatchRunRequestSchema, create(WatchRunRequestSchema, place)));

/** By HTTP/2, as gRPC. */
export function pausedByHttp2({ h2cUrl }: Pick<RpcServer, "h2cUrl">, place: Place): PausedWatcher {
  const session = http2.connect(h2cUrl);
  session.on("error", () => undefined);
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ":method": "POST", ":path": PATHS.watch, ...headers });
  stream.on("error", () => undefined); // Told by its code.
  const ended = new Promise<number>((resolve) => stream.once("close", () => resolve(stream.rstCode ?? 0)));
  const state = { bytes: 0 };
  stream.on("data", (chunk: Buffer) => {
    state.bytes += chunk.byteLength;
  });
  stream.pause();
  stream.end(requestOf(place));
  return {
    ended,
    resume: () => stream.resume(),
    pause: () => stream.pause(),
    get bytes() {
      return state.bytes;
    },
    leave: () => session.destroy(),
  };
}

/** By HTTP/1.1, as Connect. */
export function pausedByHttp1({ http1Url = "" }: Pick<RpcServer, "http1Url">, place: Place): PausedWatcher {
  const { hostname, port } = new URL(http1Url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => undefined);
  const body = requestOf(place);
  const head = [
    `POST ${PATHS.watch} HTTP/1.1`,
    `host: ${hostname}`,
    "content-type: application/connect+proto",
    "connect-protocol-version: 1",
    `content-length: ${body.byteLength}`,
  ];
  // A paused socket does not notice that the other side has gone: the test asks by writing.
  const ended = new Promise<"closed">((resolve) => socket.once("close", () => resolve("closed")));
  const state = { bytes: 0 };
  socket.on("data", (chunk: Buffer) => {
    state.bytes += chunk.byteLength;
  });
  socket.pause();
  socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
  return {
    ended,
    resume: () => socket.resume(),
    pause: () => socket.pause(),
    get bytes() {
      return state.bytes;
    },
    leave: () => socket.destroy(),
  };
}
