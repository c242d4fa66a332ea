// What every call passes on the server, outermost first: request id, errors, deadline, rules of the .proto.

import type { DescMessage, Message } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { Reason } from "@odg/proto/odg/error/v1/error_pb";
import { type FieldViolation, ownReason, presentable, reasonOf, reject } from "./errors.ts";
import { type RpcLogger, stderrLogger } from "./logger.ts";
import { reasonName } from "./reasons.ts";
import { ensureRequestId } from "./request-id.ts";
import { joinPath } from "./text.ts";

/** What the interceptors of a server need. */
export interface ServerInterceptorOptions {
  /** Where the causes of internal errors go; stderr, without their messages, where absent. */
  readonly logger?: RpcLogger;
  /** Interceptors that see only sound requests: authentication, limits, telemetry. */
  readonly interceptors?: readonly Interceptor[];
}

/** The interceptors of every server of the project, for any transport, in their order. */
export function serverInterceptors(options: ServerInterceptorOptions = {}): Interceptor[] {
  return [
    errorInterceptor(options.logger ?? stderrLogger),
    deadlineInterceptor,
    validationInterceptor(),
    ...(options.interceptors ?? []),
  ];
}

/**
 * Puts interceptors around everything that the routes register. Where a service names interceptors of its own, Connect would
 * put them in the place of the server's, and with those every rule; here they come inside of them.
 */
export function withInterceptors(
  routes: (router: ConnectRouter) => void,
  interceptors: readonly Interceptor[],
): (router: ConnectRouter) => void {
  return (router) => {
    const around = (own: readonly Interceptor[] = []) => ({ interceptors: [...interceptors, ...own] });
    const surrounding: ConnectRouter = {
      handlers: router.handlers,
      service: (service, implementation, options) => {
        router.service(service, implementation, { ...options, ...around(options?.interceptors) });
        return surrounding;
      },
      rpc: (method, implementation, options) => {
        router.rpc(method, implementation, { ...options, ...around(options?.interceptors) });
        return surrounding;
      },
    };
    routes(surrounding);
  };
}

/**
 * Lets no error out but those of the table: a plain Error becomes `INTERNAL` with the request id, and its cause goes to
 * the logger.
 */
export function errorInterceptor(logger: RpcLogger): Interceptor {
  return (next) => async (request) => {
    const requestId = ensureRequestId(request.header);
    const call = { logger, requestId, rpc: request.method.toString() };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: presenting(response.message, call) } : response;
    } catch (error) {
      throw present(error, call);
    }
  };
}

/** The call that an error belongs to, and where its cause goes. */
export interface FailingCall {
  readonly logger: RpcLogger;
  readonly requestId: string;
  /** The method, for the log. */
  readonly rpc: string;
}

/** The error as the caller may see it; what the caller must not see is logged. */
export function present(error: unknown, { logger, requestId, rpc }: FailingCall): ConnectError {
  const shown = presentable(error, requestId);
  if (isFault(error, shown)) {
    const fields = { err: shown.cause ?? error, request_id: requestId, rpc };
    logger.error(fields, `call failed: ${reasonName(reasonOf(shown))}`);
  }
  return shown;
}

function isFault(error: unknown, shown: ConnectError): boolean {
  const deliberate = error instanceof ConnectError && ownReason(error) !== undefined;
  return ownReason(shown) === Reason.INTERNAL || (!deliberate && shown.code === Code.Internal);
}

/** The messages, with every error on the way as {@link present} makes it. */
export async function* presenting<T>(
  messages: AsyncIterable<T>,
  call: FailingCall,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    throw present(error, call);
  }
}

/**
 * Answers when the deadline passes or the caller leaves, even where the handler does not look at its signal: its late
 * result is discarded.
 */
export const deadlineInterceptor: Interceptor = (next) => async (request) => {
  const response = await beforeAbort(next(request), request.signal);
  return response.stream ? { ...response, message: untilAbort(response.message, request.signal) } : response;
};

function beforeAbort<T extends UnaryResponse | StreamResponse | IteratorResult<unknown>>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, refuse) => {
    const onAbort = () => refuse(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    // Once the promise has been refused, what the handler still answers or throws falls away here.
    work.then(resolve, refuse).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function* untilAbort<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  const iterator = messages[Symbol.asyncIterator]();
  let settled = false;
  try {
    for (;;) {
      const result = await beforeAbort(iterator.next(), signal);
      if (result.done === true) {
        settled = true;
        return;
      }
      yield result.value;
    }
  } finally {
    // Not awaited: the return of a handler that hangs would hang as well. Its error has no one left to hear it.
    if (!settled) iterator.return?.().catch(() => undefined);
  }
}

function abortError(signal: AbortSignal): ConnectError {
  const why: unknown = signal.reason;
  if (why instanceof ConnectError && ownReason(why) !== undefined) return why;
  const late = reasonOf(why) === Reason.DEADLINE_EXCEEDED;
  return reject(late ? Reason.DEADLINE_EXCEEDED : Reason.CANCELLED, { cause: why });
}

/** Checks each request against the rules beside its fields in the .proto; all violations come in one error. */
export function validationInterceptor(): Interceptor {
  const validator = createValidator();
  const check = (schema: DescMessage, message: Message) => {
    const result = validator.validate(schema, message);
    if (result.kind === "invalid") throw formatError(result.violations);
    if (result.kind === "error") throw result.error;
  };
  return (next) => (request) => {
    const schema = request.method.input;
    if (!request.stream) {
      check(schema, request.message);
      return next(request);
    }
    return next({ ...request, message: checking(request.message, (message) => check(schema, message)) });
  };
}

async function* checking<T>(messages: AsyncIterable<T>, check: (message: T) => void): AsyncIterable<T> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}

function joinElement(path: string, element: Violation["field"][number]): string {
  if (element.kind === "list_sub") return joinPath(path, element.index);
  return joinPath(path, element.kind === "map_sub" ? String(element.key) : element.name);
}

function formatError(violations: readonly Violation[]): ConnectError {
  const fields: FieldViolation[] = violations.map((violation) => ({
    field: violation.field.reduce(joinElement, ""),
    description: violation.message,
  }));
  const [first] = fields;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : "";
  const message = `${first?.field || "The request"}: ${first?.description ?? "invalid"}${more}`;
  return reject(Reason.FIELD_FORMAT, { message, fields });
}
