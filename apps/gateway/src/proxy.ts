// Hands calls on to the engine by the descriptors alone: what a service may do is written nowhere here.

import {
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Transport } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "@odg/proto/google/rpc/error_details_pb";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { codeName, kDraining, ownReason, type Routes, type RpcLogger, reject, USER_HEADER } from "@odg/rpc";

/** How calls are handed on. */
export interface ProxyOptions {
  /** The way to the engine. */
  readonly transport: Transport;
  /** Milliseconds in which a call must be answered whose caller names no deadline. */
  readonly callTimeoutMs: number;
  /** Milliseconds without a message after which a stream counts as lost. */
  readonly silenceMs: number;
  /** Told why the engine was not reached. */
  readonly logger: RpcLogger;
}

/** Headers of a caller that the engine sees as well. */
const HANDED_ON = ["authorization", USER_HEADER, "x-request-id", "traceparent", "tracestate"] as const;
const RETRY_AFTER_MS = 1000;

/**
 * Routes that hand every method of these services on. A call ends at the engine when it ends here: by the caller, by its
 * deadline, or because the gateway drains.
 *
 * @throws Error where a method streams from the client, which browsers cannot
 */
export function proxyRoutes(services: readonly DescService[], options: ProxyOptions): Routes {
  return (router) => {
    for (const method of services.flatMap((service) => service.methods)) {
      if (isUnary(method)) {
        router.rpc(method, (request, context) => handOn(method, request, { context, options }));
      } else if (isServerStreaming(method)) {
        router.rpc(method, (request, context) => handOnStream(method, request, { context, options }));
      } else {
        throw new Error(`${method} streams from the client; only unary and server-streaming methods are handed on`);
      }
    }
  };
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isServerStreaming(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === "server_streaming";
}

interface Call {
  readonly context: HandlerContext;
  readonly options: ProxyOptions;
}

async function handOn<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: Message,
  { context, options }: Call,
): Promise<MessageShape<O>> {
  const { signal } = context;
  try {
    const timeoutMs = context.timeoutMs() ?? options.callTimeoutMs;
    const input = request as MessageShape<I>;
    const answer = await options.transport.unary(method, signal, timeoutMs, handedOn(context), input);
    return answer.message;
  } catch (error) {
    throw signal.aborted ? error : explained(error, { context, options });
  }
}

async function* handOnStream<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  request: Message,
  { context, options }: Call,
): AsyncGenerator<MessageShape<O>> {
  const draining = context.values.get(kDraining);
  const silence = new AbortController();
  const signal = AbortSignal.any([context.signal, draining, silence.signal]);
  const listen = () => setTimeout(() => silence.abort(), options.silenceMs);
  let timer = listen();
  try {
    const input = once(request as MessageShape<I>);
    const answer = await options.transport.stream(method, signal, context.timeoutMs(), handedOn(context), input);
    for await (const message of answer.message) {
      clearTimeout(timer); // What the caller takes to read is not the engine's silence.
      yield message;
      timer = listen();
    }
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (draining.aborted) throw gone("The gateway is stopping.", error);
    if (silence.signal.aborted) throw gone(`The engine was silent for ${options.silenceMs} ms.`, error);
    throw explained(error, { context, options });
  } finally {
    clearTimeout(timer);
  }
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}

function handedOn({ requestHeader }: HandlerContext): Headers {
  const header = new Headers();
  for (const name of HANDED_ON) {
    const value = requestHeader.get(name);
    if (value !== null) header.set(name, value);
  }
  return header;
}

/** The engine's own error as it is; one that arose on the way says nothing of where the engine is. */
function explained(error: unknown, { context, options }: Call): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.isWireError) {
    error.details = error.details.map(legible);
    return error;
  }
  const reason = ownReason(error);
  if (reason !== undefined && reason !== Reason.UNAVAILABLE) return error;
  if (error.code === Code.DeadlineExceeded) {
    return reject(Reason.DEADLINE_EXCEEDED, { message: "The engine did not answer in time.", cause: error });
  }
  if (error.code === Code.ResourceExhausted) {
    return reject(Reason.MESSAGE_TOO_LARGE, { message: "The answer is larger than the gateway reads.", cause: error });
  }
  const request_id = context.requestHeader.get("x-request-id");
  const fields = { err: error, code: codeName(error.code), rpc: context.method.toString(), request_id };
  options.logger.error(fields, "the engine cannot be reached");
  return gone("The engine cannot be reached.", error);
}

const DETAILS: readonly DescMessage[] = file_google_rpc_error_details.messages;

/** A detail that came as bytes, as a message where its type is known: only so does Connect write it as JSON for people. */
function legible(detail: ConnectError["details"][number]): ConnectError["details"][number] {
  const desc = "type" in detail ? DETAILS.find(({ typeName }) => typeName === detail.type) : undefined;
  if (desc === undefined || "desc" in detail) return detail;
  try {
    return { desc, value: fromBinary(desc, detail.value) };
  } catch {
    return detail; // Bytes that are not what they say stay bytes.
  }
}

function gone(message: string, cause: unknown): ConnectError {
  return reject(Reason.UNAVAILABLE, { message, retryAfterMs: RETRY_AFTER_MS, cause });
}
