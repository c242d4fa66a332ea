import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { createContextValues, type Transport } from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import {
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type ClosableTransport, reject } from "@odg/rpc";

/** Results hold whole outputs. */
const READ_MAX_BYTES = 64 * 1024 * 1024;

/** What the channel does by itself: https://github.com/grpc/grpc-node/tree/master/packages/grpc-js#supported-channel-options */
const CHANNEL = {
  "grpc.max_receive_message_length": READ_MAX_BYTES,
  "grpc.max_send_message_length": READ_MAX_BYTES,
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  // An expert that was away is found again within seconds.
  "grpc.initial_reconnect_backoff_ms": 200,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.dns_min_time_between_resolutions_ms": 2_000,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5_000,
};

/** With what an expert behind TLS is met, each in PEM. */
export interface RemoteTls {
  /** Roots that its certificate must lead to; those of Node where absent. */
  readonly ca?: Buffer;
  /** Certificate and key of this engine, where the expert wants to see them. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** How a remote expert is reached. */
export interface RemoteTransportOptions {
  /** Sent with every call. */
  readonly token?: string;
  /** Without it calls travel unencrypted. */
  readonly tls?: RemoteTls;
}

/**
 * A Connect transport over a channel of grpc-js, which resolves names, balances between addresses and reconnects. Unary and
 * server-streaming methods, which is all that ExpertService has.
 *
 * @param target `dns:///host:port`, or another name that grpc-js resolves.
 */
export function grpcTransport(target: string, { token, tls }: RemoteTransportOptions = {}): ClosableTransport {
  const channel = tls
    ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
    : credentials.createInsecure();
  const client = new GrpcClient(target, channel, CHANNEL);
  const common = (init: ConstructorParameters<typeof Headers>[0]) => {
    const header = new Headers(init);
    if (token) header.set("authorization", `Bearer ${token}`);
    return header;
  };
  const unary: Transport["unary"] = (method, signal, timeoutMs, init, message, contextValues) =>
    runUnaryCall({
      signal,
      timeoutMs,
      req: {
        stream: false,
        service: method.parent,
        method,
        requestMethod: "POST",
        url: urlOf(target, method),
        header: common(init),
        contextValues: contextValues ?? createContextValues(),
        message,
      },
      next: (request) =>
        new Promise((resolve, refuse) => {
          const [header, trailer] = [new Headers(), new Headers()];
          const call = client.makeUnaryRequest(
            pathOf(method),
            (input: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, input)),
            (bytes) => read(method.output, bytes),
            request.message,
            metadataOf(request.header),
            deadline(timeoutMs),
            (error, answer) => {
              if (answer === undefined) refuse(errorOf(error));
              else resolve({ stream: false, service: method.parent, method, header, trailer, message: answer });
            },
          );
          listen(call, { header, trailer });
          cancelOn(request.signal, call, refuse);
        }),
    });
  const stream: Transport["stream"] = (method, signal, timeoutMs, init, input, contextValues) =>
    runStreamingCall({
      signal,
      timeoutMs,
      req: {
        stream: true,
        service: method.parent,
        method,
        requestMethod: "POST",
        url: urlOf(target, method),
        header: common(init),
        contextValues: contextValues ?? createContextValues(),
        message: input,
      },
      next: async (request) => {
        const [header, trailer] = [new Headers(), new Headers()];
        const call = client.makeServerStreamRequest(
          pathOf(method),
          (one: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, one)),
          (bytes) => read(method.output, bytes),
          await only(request.message),
          metadataOf(request.header),
          deadline(timeoutMs),
        );
        listen(call, { header, trailer });
        return { ...request, header, trailer, message: messagesOf(call, request.signal) };
      },
    });
  return { unary, stream, close: () => client.close() };
}

type Method = DescMethod;
type Call = Pick<ClientUnaryCall, "cancel" | "on">;

const pathOf = (method: Method) => `/${method.parent.typeName}/${method.name}`;
const urlOf = (target: string, method: Method) => `${target}${pathOf(method)}`;
const deadline = (timeoutMs: number | undefined) => (timeoutMs ? { deadline: Date.now() + timeoutMs } : {});
const read = <D extends DescMessage>(schema: D, bytes: Buffer): MessageShape<D> => fromBinary(schema, bytes);

async function only<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) return message;
  throw reject(Reason.UNIMPLEMENTED, { message: "this transport sends exactly one message" });
}

function metadataOf(header: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of header) metadata.add(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  return metadata;
}

function copy(metadata: Metadata, into: Headers): void {
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name))
      into.append(name, typeof value === "string" ? value : value.toString("base64"));
  }
}

function listen(call: Call, { header, trailer }: { header: Headers; trailer: Headers }): void {
  call.on("metadata", (metadata: Metadata) => copy(metadata, header));
  call.on("status", ({ metadata }: { metadata: Metadata }) => copy(metadata, trailer));
}

function cancelOn(signal: AbortSignal, call: Call, refuse: (reason: unknown) => void): void {
  const stop = () => {
    call.cancel();
    refuse(signal.reason);
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

async function* messagesOf<T>(call: ClientReadableStream<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const stop = () => call.cancel();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const message of call) yield message as T;
  } catch (error) {
    throw errorOf(error as ServiceError);
  } finally {
    signal.removeEventListener("abort", stop);
    // Where the reader left before the end, the expert need not go on.
    call.cancel();
  }
}

/** The error of grpc-js as Connect would have read it off the wire, with its details. */
function errorOf(error: ServiceError | null): unknown {
  if (!error || typeof error.code !== "number") return error;
  const trailer = new Headers({ "grpc-status": String(error.code), "grpc-message": encodeURIComponent(error.details) });
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (Buffer.isBuffer(details)) trailer.set("grpc-status-details-bin", details.toString("base64"));
  return findTrailerError(trailer) ?? error;
}
